"""Fixtures of the engine's tests: a small railway, travellers, an empty Redis, movable time."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from config import clock
from config.stores.redis import holds_store
from reservations.availability import plans
from reservations.bookings import insert
from reservations.holds import scripts, store
from tests.availability import railway
from trains.models import Departure, Train
from users.minting import mint
from users.models import Login, User

MOVABLE_CLOCK = """
local function clock_offset_ms()
  return tonumber(redis.call('GET', string.match(KEYS[1], '^({%d+})') .. ':clock') or '0')
end
"""


@dataclass(frozen=True)
class Traveller:
    """A signed-in user and a client that sends the token."""

    user: User
    client: Client
    sid: str
    access: str

    def post(self, path: str, body: dict[str, Any] | None = None, **headers: str) -> Any:
        return self.client.post(
            f"/api/v1/{path}", body or {}, content_type="application/json", headers=headers
        )

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/api/v1/{path}", query)

    def delete(self, path: str) -> Any:
        return self.client.delete(f"/api/v1/{path}")


def forged(word: str) -> str:
    """The same but for its last letter."""
    return word[:-1] + ("a" if word[-1] != "a" else "b")


@pytest.fixture
def empty_redis() -> None:
    """No holds, no images, no plans of another test; whoever makes a railway or people has it."""
    holds_store().flushall()
    plans.forget_all()


@pytest.fixture
def express(db: None, empty_redis: None) -> Train:
    """Five stops, four legs; 8 berths SL in S1, 8 chairs CC in C1."""
    return railway.train(stops=("AAA", "BBB", "CCC", "DDD", "EEE"))


@pytest.fixture
def departure(express: Train) -> Departure:
    return railway.departure(express)


@pytest.fixture
def make_traveller(db: None, empty_redis: None) -> Callable[..., Traveller]:
    def make(name: str = "anna", *, is_staff: bool = False) -> Traveller:
        user = User.objects.create_user(name, f"{name}@example.org", is_staff=is_staff)
        sid = uuid.uuid4()
        tokens = mint(user=user, sid=sid)
        Login.objects.create(
            sid=sid,
            user=user,
            refresh_jti=tokens.refresh_jti,
            created_at=clock.now(),
            expires_at=tokens.expires_at,
        )
        client = Client(headers={"Authorization": f"Bearer {tokens.access}"})
        return Traveller(user, client, str(sid), tokens.access)

    return make


@pytest.fixture
def anna(make_traveller: Callable[..., Traveller]) -> Traveller:
    return make_traveller("anna")


@pytest.fixture
def bela(make_traveller: Callable[..., Traveller]) -> Traveller:
    return make_traveller("bela")


@pytest.fixture
def controller(make_traveller: Callable[..., Traveller]) -> Traveller:
    return make_traveller("controller", is_staff=True)


@pytest.fixture
def time_passes() -> Iterator[Callable[[float], AbstractContextManager[None]]]:
    """Let the clocks of scripts and process move: `with` the seconds that shall pass."""
    names = [path.stem for path in scripts.LUA.glob("*.lua")]
    before = {name: scripts.script(name).text for name in names}
    for name in names:
        scripts.script(name).use(scripts.source(name, {"clock": MOVABLE_CLOCK}))
    real_now_ms = store.redis_now_ms
    offset_ms = 0

    @contextmanager
    def passing(seconds: float) -> Iterator[None]:
        nonlocal offset_ms
        offset_ms += int(seconds * 1000)
        move_scripts_clock(offset_ms)
        before, moved = insert.now_sql, f"clock_timestamp() + interval '{offset_ms} ms'"
        with clock.moved(timedelta(seconds=seconds)):
            insert.now_sql = moved
            try:
                yield
            finally:
                insert.now_sql = before

    store.redis_now_ms = lambda: real_now_ms() + int(holds_store().get("{0}:clock") or 0)
    yield passing
    store.redis_now_ms = real_now_ms
    for name, text in before.items():
        scripts.script(name).use(text)


def move_scripts_clock(offset_ms: int) -> None:
    """Set the movable clock of the scripts, in every shard (see `time_passes`)."""
    pipe = holds_store().pipeline(transaction=False)
    for shard in range(64):
        pipe.set(f"{{{shard}}}:clock", offset_ms)
    pipe.execute()

"""The holds' store: one function per thing the services do with it.

Promises P2, P3 and P7 are kept inside the scripts this calls; nothing here decides. Every function
raises `redis.ConnectionError` or `TimeoutError` when Redis is away.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import msgspec
from django.conf import settings

from config.errors import NotAuthenticated, StoreUnavailable
from config.stores import keys
from config.stores.lines import Command
from config.stores.redis import holds_store, served
from reservations.holds.calls import (
    ANSWER_KEPT_MS,
    Keeping,
    LockMode,
    LockRequest,
    lock_call,
    new_mark,
    pin_call,
    settle_call,
)
from reservations.holds.capabilities import Capability
from reservations.holds.ids import HoldRef
from reservations.holds.images import Image, image_of
from reservations.holds.members import Member, parse
from reservations.holds.scripts import Outcome, departure_keys, script

__all__ = ["ANSWER_KEPT_MS", "Keeping", "LockMode", "LockRequest"]

AGAIN_LIMIT: Final = 1_600


@dataclass(frozen=True)
class Held:
    """A hold as a script left it. `now_ms` is the Redis clock, `era` the mark of its memory."""

    member: Member
    text: str
    now_ms: int
    era: str

    @property
    def capability(self) -> Capability:
        return Capability(self.era, self.member.deadline_ms, self.text)


@dataclass(frozen=True)
class Answer:
    """What a script answered: the outcome, the hold where there is one, and other words."""

    outcome: Outcome
    held: Held | None = None
    rest: tuple[str, ...] = ()


def _run(name: str, key_names: Sequence[str], *arguments: Any) -> Any:
    """Run a script until it has finished reaping (rule 4), and refuse a login that ended."""
    run = script(name)
    return _finished(lambda: run(key_names, *arguments))


def _finished(run: Callable[[], Any]) -> Any:
    for _ in range(AGAIN_LIMIT):
        answer = run()
        word = answer[0]
        if word == b"again":
            continue
        if word == b"ended":
            raise NotAuthenticated("This login was ended.")
        return answer
    raise StoreUnavailable("Too many holds ran out at once; try again.")


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def held_by(answer: Sequence[Any]) -> Held:
    """Read `<member> <deadline_ms> <now_ms> <era>` behind the outcome."""
    text = _text(answer[1])
    return Held(parse(text, int(answer[2])), text, int(answer[3]), _text(answer[4]))


def lock(
    request: LockRequest, *, mode: LockMode = "named", keeping: Keeping | None = None
) -> Answer:
    """Take one of the groups of seats, or none. Outcomes: see `lua/lock.lua`.

    `mode`: `groups` are one by name, or ranked (an offer may take seats kept for who waits), or
    (short) the number of free seats, too few, and of parties that wait.
    `keeping`: one for all calls with this hold id.
    """
    kept = keeping or Keeping()

    def run() -> Any:
        call = lock_call(request, mode=mode, keep_answer=kept.answer)
        return script("lock").tried(call, instead=kept.from_now_on)

    answer = _finished(run)
    outcome = Outcome(_text(answer[0]))
    if outcome is Outcome.HELD:
        return Answer(outcome, held_by(answer))
    return Answer(outcome, rest=tuple(_text(word) for word in answer[1:]))


def extend(
    ref: HoldRef,
    sid: str,
    *,
    ttl_seconds: int | None = None,
    cap_seconds: int | None = None,
    acting: Mapping[str, Any] = MappingProxyType({}),
) -> Answer:
    """Move the deadline of a live hold. Outcomes: see `lua/extend.lua`.

    To `ttl_seconds` from now (0: leave it, and tell how the hold stands), at most `cap_seconds`
    after it was taken; HOLD_TTL_SECONDS and HOLD_MAX_TOTAL_SECONDS unless told. `acting`: JSON
    members of the fact that say who acted for the owner.
    """
    env = settings.ENV
    ttl_seconds = env.hold_ttl_seconds if ttl_seconds is None else ttl_seconds
    cap_seconds = env.hold_max_total_seconds if cap_seconds is None else cap_seconds
    answer = _run(
        "extend",
        (*departure_keys(ref.departure), keys.ended(keys.shard(ref.departure), sid)),
        ref.hold,
        ref.user,
        ttl_seconds * 1000,
        cap_seconds * 1000,
        new_mark(),
        "," + msgspec.json.encode(acting).decode()[1:-1] if acting else "",
    )
    outcome = Outcome(_text(answer[0]))
    return Answer(outcome, held_by(answer) if outcome is Outcome.EXTENDED else None)


def release(ref: HoldRef, sid: str, fact_body: str) -> Outcome:
    """End a live hold. Outcomes: see `lua/release.lua`."""
    answer = _run(
        "release",
        (*departure_keys(ref.departure), keys.ended(keys.shard(ref.departure), sid)),
        ref.hold,
        ref.user,
        fact_body,
    )
    return Outcome(_text(answer[0]))


def pin(ref: HoldRef, sid: str, capability: Capability | None) -> tuple[Answer, Member | None]:
    """Keep a hold from expiring while its confirm runs. Outcomes: see `lua/pin.lua`."""
    key_names, arguments = pin_call(ref, sid, capability)
    answer = _run("pin", key_names, *arguments)
    outcome = Outcome(_text(answer[0]))
    if outcome is Outcome.PINNED:
        return Answer(outcome, rest=(_text(answer[3]),)), pinned_by(answer)
    return Answer(outcome, rest=tuple(_text(word) for word in answer[1:])), None


def pinned_by(answer: Sequence[Any]) -> Member:
    """Read `<member> <now_ms>` behind the outcome of pin."""
    return parse(answer[1], int(answer[2]), pinned=True)


def free(ref: HoldRef, became: Outcome | str, fact_body: str = "{}") -> Outcome:
    """End a hold PostgreSQL has definitely refused; a second call does nothing."""
    answer = script("free")(departure_keys(ref.departure), ref.hold, ref.user, became, fact_body)
    return Outcome(_text(answer[0]))


def settle(ref: HoldRef) -> bool:
    """Turn the held bits of a booked hold into sold bits; False if its member was gone (rule 8)."""
    key_names, arguments = settle_call(ref)
    answer = script("refresh_begin")(key_names, *arguments)
    return bool(answer[0] == b"1")


@dataclass(frozen=True)
class RefreshBegun:
    """Step a of refresh: the epoch and the sold words to compare with; `epoch` "" if no image."""

    settled: bool
    loaded: bool
    epoch: str
    sold: bytes


def refresh_begin(
    words: Mapping[int, int], *, scope: str, ref: HoldRef | None
) -> dict[int, RefreshBegun]:
    """Step a of refresh (rule 7) for each departure of `words`, which says how many words a seat
    has there; one round trip. `scope`: some, all, or load. `ref`: a hold to settle.
    """
    hold, user = (ref.hold, ref.user) if ref else ("", "")
    answers = script("refresh_begin").many(
        [
            (departure_keys(departure), (hold, user, scope, new_mark(), each))
            for departure, each in words.items()
        ]
    )
    return {
        departure: RefreshBegun(settled == b"1", loaded == b"1", _text(epoch), sold)
        for departure, (settled, loaded, epoch, sold) in zip(words, answers, strict=True)
    }


@dataclass(frozen=True, kw_only=True)
class Correction:
    """Step c of refresh: `epoch` is that of step a; `changes` are triples (word index, bits to
    set, bits to clear) of little-endian uint32; `revision`, `blocked` and `image_bytes` (how long
    the image is) count unless the scope is some. `kept`, `waiting`: the waitlist's mark; empty if
    nobody waits, None: it stays as it is.
    """

    epoch: str
    scope: str
    changes: bytes
    revision: str
    blocked: bytes
    image_bytes: int = 0
    kept: bytes | None = None
    waiting: str = ""


def refresh_end(corrections: Mapping[int, Correction]) -> dict[int, Outcome]:
    """Step c of refresh, by departure, in one round trip: done, again (the epoch moved), or
    loaded (another load was first).
    """
    answers = script("refresh_end").many(
        [
            (
                departure_keys(departure),
                (
                    *(each.epoch, new_mark(), each.scope, each.changes),
                    *(each.revision, each.blocked, each.image_bytes),
                    *(() if each.kept is None else (each.kept, each.waiting)),
                ),
            )
            for departure, each in corrections.items()
        ]
    )
    return {
        departure: Outcome(_text(answer[0]))
        for departure, answer in zip(corrections, answers, strict=True)
    }


def read_images(
    departures: Sequence[int], *, members: bool = False, user: int | None = None
) -> list[Image]:
    """Several departures as they are now, in one round trip (more only while holds run out).

    `members`: with all holds; `user`: with that user's holds and without the seat images.
    """
    wanted = "mine" if user is not None else "all" if members else "none"
    arguments = (wanted, "" if user is None else user)
    images: dict[int, Image] = {}
    todo = list(departures)
    for _ in range(AGAIN_LIMIT):
        answers = script("view").many([(departure_keys(each), arguments) for each in todo])
        for departure, answer in zip(todo, answers, strict=True):
            if answer[0] != b"again":
                images[departure] = image_of(departure, answer)
        todo = [departure for departure in todo if departure not in images]
        if not todo:
            return [images[departure] for departure in departures]
    raise StoreUnavailable("Too many holds ran out at once; try again.")


def holds_of(user: int) -> list[tuple[int, Member]]:
    """A user's live holds with their departures, soonest deadline first: two round trips."""
    departures = _union(lambda shard: keys.owned(shard, user))
    images = read_images(departures, user=user)
    found = [(image.departure, member) for image in images for member in image.members]
    return sorted(found, key=lambda pair: pair[1].deadline_ms)


def departures_with_holds() -> list[int]:
    """Departures on which somebody holds, or held until a moment ago; one round trip."""
    return _union(keys.due)


def live_holds() -> list[tuple[int, Member]]:
    """Every live hold with its departure, soonest deadline first (operators)."""
    images = read_images(departures_with_holds(), members=True)
    found = [(image.departure, member) for image in images for member in image.members]
    return sorted(found, key=lambda pair: pair[1].deadline_ms)


def _union(key_of_shard: Callable[[int], str]) -> list[int]:
    """The departures in one sorted set of every shard, in one round trip."""
    return _departures_in(
        [("ZRANGE", key_of_shard(shard), "0", "-1") for shard in range(keys.SHARDS)]
    )


def _departures_in(questions: Sequence[Command]) -> list[int]:
    answers = served(holds_store().ask(questions))
    return [int(departure) for found in answers for departure in found]


def redis_now_ms() -> int:
    """The Redis clock; only an index is read by it, the scripts judge by their own reading."""
    seconds, microseconds = holds_store().time()
    return int(seconds) * 1000 + int(microseconds) // 1000


def departures_due(limit_per_shard: int) -> list[int]:
    """Departures in which a hold or a pin may have run out, in one round trip."""
    now_ms = redis_now_ms()
    bounds = ("-inf", now_ms, "LIMIT", 0, limit_per_shard)
    return _departures_in(
        [("ZRANGEBYSCORE", keys.due(shard), *bounds) for shard in range(keys.SHARDS)]
    )


def images_loaded(limit_per_shard: int, *, before_ms: int) -> list[int]:
    """Departures whose image is loaded and was last fully refreshed before that moment, the
    longest ago first in each shard; one round trip.
    """
    bounds = ("-inf", before_ms, "LIMIT", 0, limit_per_shard)
    return _departures_in(
        [("ZRANGEBYSCORE", keys.loaded(shard), *bounds) for shard in range(keys.SHARDS)]
    )


def reap(departures: Sequence[int]) -> dict[int, tuple[bool, list[str]]]:
    """End what ran out: for each departure, whether more remains, and the holds whose pin did."""
    answers = script("reap").many([(departure_keys(each), ()) for each in departures])
    return {
        departure: (answer[0] == b"1", [_text(hold) for hold in answer[1:]])
        for departure, answer in zip(departures, answers, strict=True)
    }


def drop_image(departure: int) -> Outcome:
    """Forget the image of a departure that has ended, unless somebody still holds a seat."""
    return Outcome(_text(script("drop")(departure_keys(departure))[0]))

"""The hold scripts on a bench: a Redis, one departure that only Redis knows, and no PostgreSQL.

For rules that a script keeps by itself, and that services above would hide or mend.
"""

from dataclasses import dataclass, replace
from typing import Any

import msgspec

from config.stores import keys
from config.stores.redis import as_bytes, holds_store
from reservations.holds import batches, ids, store
from reservations.holds.capabilities import Capability
from reservations.holds.ids import HoldRef
from reservations.holds.images import Image
from reservations.holds.members import Member
from reservations.holds.scripts import Outcome, script

DEPARTURE = 70
SHARD = keys.shard(DEPARTURE)
SID = "a-login"
FOREVER_MS = 4_000_000_000_000


@dataclass(frozen=True)
class Taken:
    """A hold as the bench's lock made it."""

    ref: HoldRef
    held: store.Held

    @property
    def member(self) -> Member:
        return self.held.member

    @property
    def capability(self) -> Capability:
        return self.held.capability


def key(what: str, *rest: object) -> str:
    return keys.of(DEPARTURE, what, *rest)


def load(*, words: int = 1, revision: str = "r1", changes: bytes = b"") -> None:
    """The image of the departure, loaded by hand: a and c of a refresh, with no rows between."""
    begun = begin("load", words=words)
    assert end(begun, scope="load", revision=revision, changes=changes) is Outcome.DONE


def begin(scope: str, ref: HoldRef | None = None, *, words: int = 1) -> store.RefreshBegun:
    return store.refresh_begin({DEPARTURE: words}, scope=scope, ref=ref)[DEPARTURE]


def end(
    begun: store.RefreshBegun,
    *,
    scope: str,
    revision: str = "r1",
    changes: bytes = b"",
    image_bytes: int = 0,
    kept: bytes | None = None,
    waiting: str = "",
) -> Outcome:
    correction = store.Correction(
        epoch=begun.epoch, scope=scope, changes=changes, revision=revision, blocked=b"",
        image_bytes=image_bytes, kept=kept, waiting=waiting,
    )  # fmt: skip
    return store.refresh_end({DEPARTURE: correction})[DEPARTURE]


def request(*seats: int, user: int = 1, stretch: tuple[int, int] = (0, 4)) -> store.LockRequest:
    """A lock of these ordinals, as the service would ask for it."""
    named = ",".join(f"{seat}=S1-{seat + 1}" for seat in seats)
    return store.LockRequest(
        hold=ids.mint(departure=DEPARTURE, user=user),
        user=user,
        sid=SID,
        departure=DEPARTURE,
        from_stop=stretch[0],
        to_stop=stretch[1],
        revision="r1",
        opens_at_ms=0,
        leaves_at_ms=FOREVER_MS,
        fact_body='{"train":"1"',
        groups=[f"100.00 {named}"],
    )


def ask(*seats: int, user: int = 1, stretch: tuple[int, int] = (0, 4), **changed: Any) -> Outcome:
    """What lock answers to a request with these fields changed."""
    return store.lock(replace(request(*seats, user=user, stretch=stretch), **changed)).outcome


def take(*seats: int, user: int = 1, stretch: tuple[int, int] = (0, 4), **changed: Any) -> Taken:
    """A hold of these seats."""
    wanted = replace(request(*seats, user=user, stretch=stretch), **changed)
    answer = store.lock(wanted)
    assert answer.held is not None, answer
    return Taken(HoldRef(wanted.hold, DEPARTURE, user), answer.held)


def lock_in_a_batch(wanted: store.LockRequest) -> None:
    """As bulk services lock, one alone."""
    (held,) = batches.lock_all([(wanted, "named")])
    assert held is not None


def lock_in_two(wanted: store.LockRequest) -> None:
    """The same, in one round trip with another."""
    held, other = batches.lock_all([(wanted, "named"), (request(1, user=2), "named")])
    assert held is not None
    assert other is not None


def pin(taken: Taken, capability: Capability | None = None) -> Outcome:
    return store.pin(taken.ref, SID, capability)[0].outcome


def release(taken: Taken) -> Outcome:
    return store.release(taken.ref, SID, "{}")


def extend(taken: Taken) -> store.Answer:
    return store.extend(taken.ref, SID)


def free(taken: Taken, became: str = "expired") -> Outcome:
    return store.free(taken.ref, became)


def image(**wanted: Any) -> Image:
    (seen,) = store.read_images([DEPARTURE], **wanted)
    return seen


def holders() -> set[str]:
    return {member.hold for member in image(members=True).members}


def words_of(what: str) -> list[int]:
    """The 32-bit words of `held` or `sold`, as they lie in Redis."""
    text = as_bytes(holds_store().get(key(what))) or b""
    return [int.from_bytes(text[at : at + 4], "little") for at in range(0, len(text), 4)]


def facts() -> list[tuple[str, dict[str, Any]]]:
    """Event ids and bodies in the departure's audit stream, oldest first."""
    entries: Any = holds_store().xrange(keys.audit(SHARD))
    return [(fields[b"id"].decode(), msgspec.json.decode(fields[b"body"])) for _, fields in entries]


def due_ms() -> int | None:
    """When the sweep is to visit the departure."""
    score: Any = holds_store().zscore(keys.due(SHARD), str(DEPARTURE))
    return None if score is None else int(score)


def reap() -> tuple[bool, list[str]]:
    """The sweep's visit."""
    return store.reap([DEPARTURE])[DEPARTURE]


def run(name: str, *arguments: Any) -> Any:
    """A script by itself: its first answer, also if that is `again`."""
    from reservations.holds.scripts import departure_keys  # beside its only use

    marks = (keys.ended(SHARD, SID), keys.answer(SHARD, "none"))
    return script(name)((*departure_keys(DEPARTURE), *marks), *arguments)

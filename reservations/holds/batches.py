"""Scripts for many holds at once, each for its own departure: a round trip, and no more promises.

Redis runs them one after the other, each whole (P2, P3), with other clients' calls in between. An
answer that is out of the ordinary is None here: the caller asks again for that one alone, by
`store`, which has a word for every answer.
"""

from collections.abc import Sequence

from reservations.holds import store
from reservations.holds.calls import (
    LockMode,
    LockRequest,
    lock_call,
    pin_call,
    settle_call,
    with_answer_kept,
)
from reservations.holds.ids import HoldRef
from reservations.holds.members import Member
from reservations.holds.scripts import Outcome, script


def lock_all(
    wanted: Sequence[tuple[LockRequest, LockMode]],
) -> list[store.Held | None]:
    """The holds that were taken. None: this one was not, and nothing was decided for good."""
    calls = [lock_call(each, mode=mode, keep_answer=False) for each, mode in wanted]
    answers = script("lock").many(calls, instead=with_answer_kept)
    return [
        store.held_by(answer) if answer[0] == Outcome.HELD.encode() else None for answer in answers
    ]


def pin_all(pins: Sequence[tuple[HoldRef, str]]) -> list[Member | None]:
    """Pin live holds, each for its owner's login (`sid`). None: this one is not a live hold."""
    answers = script("pin").many([pin_call(ref, sid, None) for ref, sid in pins])
    return [
        store.pinned_by(answer) if answer[0] == Outcome.PINNED.encode() else None
        for answer in answers
    ]


def settle_all(refs: Sequence[HoldRef]) -> list[bool]:
    """Settle booked holds; False where the member was gone (rule 8)."""
    answers = script("refresh_begin").many([settle_call(ref) for ref in refs])
    return [answer[0] == b"1" for answer in answers]

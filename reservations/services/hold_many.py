"""Lock for many wishes together: agents, groups, replays. Promises and answers are those of lock.

The script runs for all of them in one round trip, for each whole (P2, P3). What it does not take
at once (a seat is gone, an image is missing, a plan is old) is locked alone afterwards, by
`hold_seats`, which knows every answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from config.errors import SeatlockError
from reservations.availability.plans import Plan, plan_of
from reservations.holds import batches, ids
from reservations.holds.calls import LockMode, LockRequest
from reservations.services.choose_seats import SeatWish
from reservations.services.hold_seats import (
    Owner,
    groups_for,
    hold_seats,
    keep_passengers,
    lock_request,
    refuse_wrong_numbers,
)
from reservations.services.hold_view import HoldView, view_of
from reservations.services.name_passengers import refuse_wrong_party


@dataclass(frozen=True)
class LockAsk:
    """One of the locks; its fields are the arguments of `hold_seats`."""

    owner: Owner
    wish: SeatWish


@dataclass(frozen=True)
class _Draft:
    plan: Plan
    request: LockRequest
    mode: LockMode


def hold_many(asks: Sequence[LockAsk]) -> list[HoldView | SeatlockError]:
    """Lock these; for each what `hold_seats` returns, or the error it raises.

    Raises `redis.ConnectionError` or `TimeoutError`: what was taken, if anything, runs out.
    """
    drafts = {index: draft for index, ask in enumerate(asks) if (draft := _draft(ask))}
    answers = batches.lock_all([(draft.request, draft.mode) for draft in drafts.values()])
    found: dict[int, HoldView | SeatlockError] = {}
    for (index, draft), held in zip(drafts.items(), answers, strict=True):
        if held is not None:
            keep_passengers(draft.plan, held, asks[index].wish)
            found[index] = view_of(draft.plan, held)
    return [found[index] if index in found else _alone(ask) for index, ask in enumerate(asks)]


def _draft(ask: LockAsk) -> _Draft | None:
    """The call of the script, or None where `hold_seats` has something to say before."""
    wish = ask.wish
    try:
        refuse_wrong_numbers(wish, settings.ENV.hold_max_seats)
        plan = plan_of(wish.departure)
        refuse_wrong_party(plan, wish.passengers, len(wish.seats) or wish.count)
        stretch = plan.stretch(wish.source, wish.destination)
        mode, groups = groups_for(plan, stretch, wish, is_keyed=False)
    except SeatlockError:
        return None
    hold = ids.mint(departure=wish.departure, user=ask.owner.user)
    return _Draft(plan, lock_request(plan, stretch, ask.owner, hold, groups), mode)


def _alone(ask: LockAsk) -> HoldView | SeatlockError:
    try:
        return hold_seats(owner=ask.owner, wish=ask.wish)
    except SeatlockError as refused:
        return refused

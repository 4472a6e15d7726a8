"""Extend: more time for a live hold, up to HOLD_MAX_TOTAL_SECONDS from when it was taken."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from django.conf import settings

from reservations.availability.plans import plan_of
from reservations.errors import HoldExpired, IllegalState, LimitReached
from reservations.holds import ids, store
from reservations.holds.scripts import Outcome
from reservations.services.hold_view import HoldView, view_of


def extend_hold(
    *, user: int, sid: str, hold: str, acting: Mapping[str, Any] = MappingProxyType({})
) -> HoldView:
    """Move the deadline of my hold to HOLD_TTL_SECONDS from now, or to its cap.

    `acting`: who did it for its owner, for the fact.

    Raises `NotFound` (not mine), `HoldExpired`, `IllegalState` (a confirm is under way),
    `LimitReached` (the cap is reached).
    """
    ref = ids.read_own(hold, user)

    answer = store.extend(ref, sid, acting=acting)
    if answer.outcome is Outcome.GONE:
        raise HoldExpired
    if answer.outcome is Outcome.PINNED:
        raise IllegalState("The hold is being confirmed.", "confirming")
    if answer.held is None:  # its cap is reached
        limit = settings.ENV.hold_max_total_seconds
        raise LimitReached(f"A hold lasts at most {limit} s in all.", limit)
    return view_of(plan_of(ref.departure), answer.held)

"""A user's live holds."""

from reservations.availability.plans import plans_of
from reservations.errors import HoldExpired
from reservations.holds import ids, store
from reservations.services.hold_view import HoldView, view_member


def list_holds(*, user: int) -> list[HoldView]:
    """My live holds, soonest deadline first."""
    found = store.holds_of(user)
    if not found:
        return []
    plans = plans_of({departure for departure, _ in found})
    now_ms = store.redis_now_ms()
    return [
        view_member(plans[departure], member, now_ms=now_ms)
        for departure, member in found
        if departure in plans
    ]


def find_hold(*, user: int, hold: str) -> HoldView:
    """One live hold of mine. Raises `NotFound` (not mine) and `HoldExpired`."""
    ref = ids.read_own(hold, user)
    (image,) = store.read_images([ref.departure], user=user)
    for member in image.members:
        if member.hold == hold:
            plan = plans_of([ref.departure])[ref.departure]
            return view_member(plan, member, now_ms=image.now_ms)
    raise HoldExpired

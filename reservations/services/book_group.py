"""A group booked in one call: held and confirmed, all or none (promise P3).

One hold over as many coaches as it takes: the lock script takes every seat or none, and the one
statement that books writes every seat or none. What lies between is a hold like any other: after a
crash it runs out, and the same request sent again with its key finds it and goes on.
"""

from reservations.availability.plans import plan_of
from reservations.services.choose_seats import SeatWish, party
from reservations.services.confirm_booking import Confirmed, Encode, confirm_booking
from reservations.services.hold_seats import Owner, RequestKey, hold_seats


def book_group(  # noqa: PLR0913  # what a lock and a confirm are made of
    *,
    owner: Owner,
    wish: SeatWish,
    most_seats: int,
    claimed: str | None = None,
    key: RequestKey | None = None,
    encode: Encode | None = None,
) -> Confirmed:
    """Book these seats. `claimed`: the hold id of this request, if it has a key.

    Raises what `hold_seats` and `confirm_booking` raise; nothing is held or booked then, but for
    `StoreUnavailable` and `Invalid` (the fares changed in between), after which the hold runs out
    by itself.
    """
    held = hold_seats(owner=owner, wish=wish, claimed=claimed, most_seats=most_seats)
    plan = plan_of(wish.departure)
    ordinals = [plan.train.ordinal_of[label] for label in held.seats]
    return confirm_booking(
        owner=owner,
        hold=held.hold,
        capability=held.capability,
        passengers=party(plan, ordinals, wish),  # those kept with the hold may be lost by now
        key=key,
        encode=encode,
    )

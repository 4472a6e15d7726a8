"""End a pin that ran out, by asking PostgreSQL in the only way that cannot be overtaken: writing.

    web     pin ........ stalled ................ INSERT -> hold exists -> 410
    sweep          pin over, INSERT void, free
    rival                                  lock (safe)

A plain SELECT would miss the COMMIT that comes a moment later. Whoever meets such a pin does this
at once, web or Celery; twice or together is harmless (`hold` is unique, `free` ends a member once).
"""

from reservations.bookings.tombstone import bury
from reservations.holds import ids, store
from reservations.models import BookedSeat
from reservations.services.refresh_image import refresh_seats


def resolve_pin(hold: str, *, became: str = "expired") -> None:
    """Free the seats of a hold whose confirm never happened, or settle one that did.

    `became`: the fact that is told of a hold that is freed; "" for none.
    """
    ref = ids.read(hold)
    booking = bury([ref]).get(ref.hold)
    if booking is None:
        store.free(ref, became)
    else:
        settle_booking(ref, booking)


def settle_booking(ref: ids.HoldRef, booking: int) -> None:
    """Settle a hold that became this booking, and refresh its seats."""
    seats = list(BookedSeat.objects.filter(booking=booking).values_list("seat_id", flat=True))
    refresh_seats(departure=ref.departure, seat_ids=seats, hold=ref)

"""End a pin that ran out, by asking PostgreSQL in the only way that cannot be overtaken: writing.

    web     pin ........ stalled ................ INSERT -> hold exists -> 410
    sweep          pin over, INSERT void, free
    rival                                  lock (safe)

A plain SELECT would miss the COMMIT that comes a moment later. Whoever meets such a pin does this
at once, web or Celery; twice or together is harmless (`hold` is unique, `free` ends a member once).
"""

from typing import Final

from django.db import connection

from reservations.holds import ids, store
from reservations.models import BookedSeat
from reservations.services.refresh_image import refresh_seats

_VOID: Final = """
INSERT INTO reservations_booking
       (hold, departure_id, status, from_stop, to_stop, fare, currency, fence)
VALUES (%s, %s, 'void', 0, 0, 0, '', 0)
ON CONFLICT (hold) DO UPDATE SET hold = excluded.hold
RETURNING id, status
"""


def resolve_pin(hold: str) -> None:
    """Free the seats of a hold whose confirm never happened, or settle one that did."""
    ref = ids.read(hold)
    with connection.cursor() as cursor:
        cursor.execute(_VOID, [ref.hold, ref.departure])
        booking, status = cursor.fetchone()
    if status == "void":
        store.free(ref, "expired")
        return
    seats = list(BookedSeat.objects.filter(booking=booking).values_list("seat_id", flat=True))
    refresh_seats(departure=ref.departure, seat_ids=seats, hold=ref)

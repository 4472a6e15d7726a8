"""Bury a hold: a `void` row with its unique `hold`, so that no confirm of it can commit any more.

It is how PostgreSQL is asked what became of a hold (rule 6), and how it remembers, for the day
Redis forgot, that a hold was given back:

    web     release.lua, INSERT void, 204                confirm with capability: hold known, 410
    Redis                                  flushed                (it takes the seats: rule 10)
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from django.db import connection

from config import clock
from reservations.holds.ids import HoldRef
from reservations.models import Booking

# Longer than any process that pinned a hold may have been stopped before it goes on to its COMMIT.
KEPT: Final = timedelta(days=7)
PURGE_BATCH: Final = 5000

# The no-op update makes a row that is there answer, and waits for one that is being written. A
# departure that is gone (nothing was sold on it) leaves nothing to bury.
_BURY: Final = """
INSERT INTO reservations_booking
       (hold, departure_id, status, from_stop, to_stop, fare, currency, fence)
SELECT wanted.hold, d.id, 'void', 0, 0, 0, '', 0
  FROM unnest(%(holds)s::text[], %(departures)s::bigint[]) AS wanted(hold, departure)
  JOIN trains_departure d ON d.id = wanted.departure
 ORDER BY wanted.hold
ON CONFLICT (hold) DO UPDATE SET hold = excluded.hold
RETURNING COALESCE(became_id, id), hold, status <> 'void' OR became_id IS NOT NULL
"""
_ABSORB: Final = """
INSERT INTO reservations_booking
       (hold, departure_id, status, from_stop, to_stop, fare, currency, fence, became_id)
VALUES (%(hold)s, %(departure)s, 'void', 0, 0, 0, '', 0, %(booking)s)
ON CONFLICT (hold) DO NOTHING
RETURNING id
"""


def bury(refs: Sequence[HoldRef]) -> dict[str, int]:
    """Write `void` for each hold; the bookings (by hold) that were there first, cancelled or not,
    or whose change took the hold's seats.

    A hold that is not in the answer can never be booked any more. One statement.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _BURY,
            {
                "holds": [ref.hold for ref in refs],
                "departures": [ref.departure for ref in refs],
            },
        )
        rows = cursor.fetchall()
    return {hold: booking for booking, hold, is_booked in rows if is_booked}


def absorb(ref: HoldRef, booking: int) -> bool:
    """Write down, in the caller's transaction, that this booking's change takes the hold's seats;
    False if the hold is booked, buried or taken already. A rival that writes now is waited for.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ABSORB, {"hold": ref.hold, "departure": ref.departure, "booking": booking})
        return cursor.fetchone() is not None


def purge_tombstones() -> int:
    """Forget those older than KEPT, in bounded statements; how many."""
    old = Booking.objects.filter(
        status=Booking.Status.VOID, created_at__lt=clock.now() - KEPT
    ).order_by("created_at")
    deleted = 0
    while batch := list(old.values_list("pk", flat=True)[:PURGE_BATCH]):
        deleted += Booking.objects.filter(pk__in=batch, status=Booking.Status.VOID).delete()[0]
    return deleted

"""The engine's answer to the timetable's question: may this departure change?"""

from collections.abc import Sequence

from reservations.holds import store
from reservations.models import Booking, SeatBlock
from trains.models import Departure


def departures_in_use(train_ids: Sequence[int]) -> set[int]:
    """Which departures of these trains have a booking, cancelled ones too, a block or a live hold.

    Not those where a hold was given back or swept: a void row has no seats and no stretch.
    """
    made = Booking.objects.exclude(status=Booking.Status.VOID)
    booked = made.filter(departure__train__in=train_ids)
    blocked = SeatBlock.objects.filter(departure__train__in=train_ids)
    held = Departure.objects.filter(pk__in=store.departures_with_holds(), train__in=train_ids)
    return {
        *booked.values_list("departure_id", flat=True),
        *blocked.values_list("departure_id", flat=True),
        *held.values_list("id", flat=True),
    }

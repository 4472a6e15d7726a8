"""The states of a hold and a booking, what they mean, and every legal move between them.

    held ──> confirmed      the hold became a booking
      ├────> released       its owner, staff, or a definite refusal of PostgreSQL ended it
      └────> expired        its deadline came

    confirmed ──> cancelled     all its seats were given back, or its departure was cancelled
    void                        a hold that never can become a booking; shown to nobody

A booking that gives back some of its seats, or changes them, stays confirmed; how refunds stand is
their own table (`reservations/payments/states.py`).

`STAGE` numbers the facts of one story: order is (stage, number), and no clock is asked. The number
of a change of a booking's seats is the booking's revision.
"""

from enum import StrEnum
from typing import Final


class HoldState(StrEnum):
    HELD = "held"
    CONFIRMED = "confirmed"
    RELEASED = "released"
    EXPIRED = "expired"


class BookingState(StrEnum):
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    VOID = "void"


HOLD_MOVES: Final[frozenset[tuple[HoldState, HoldState]]] = frozenset(
    {
        (HoldState.HELD, HoldState.CONFIRMED),
        (HoldState.HELD, HoldState.RELEASED),
        (HoldState.HELD, HoldState.EXPIRED),
    }
)
BOOKING_MOVES: Final[frozenset[tuple[BookingState, BookingState]]] = frozenset(
    {(BookingState.CONFIRMED, BookingState.CANCELLED)}
)

STAGE: Final[dict[str, int]] = {
    "hold.held": 1,
    "hold.extended": 2,
    "hold.released": 3,
    "hold.expired": 3,
    "booking.confirmed": 3,
    "booking.seats-cancelled": 4,
    "booking.reseated": 4,
    "booking.seats-exchanged": 4,
    "booking.changed": 4,
    "booking.cancelled": 5,
}

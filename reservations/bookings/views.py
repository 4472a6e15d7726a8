"""A booking as its owner or staff see it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from reservations.availability.plans import Plan, plans_of
from reservations.models import BookedSeat, Booking
from trains.fares import PARTS


@dataclass(frozen=True, kw_only=True)
class BookingView:
    """One booking. `fare`, with its parts, is for all its seats; `passengers` run beside `seats`
    (None: unnamed).
    """

    pnr: str
    status: str
    hold: str
    departure: int
    train: dict[str, str]
    service_date: str
    source: dict[str, Any]
    destination: dict[str, Any]
    seats: tuple[str, ...]
    passengers: tuple[dict[str, Any] | None, ...]
    fare: Decimal
    fare_parts: Mapping[str, Decimal]
    currency: str
    created_at: datetime
    cancelled_at: datetime | None = None


def view_booking(plan: Plan, booking: Booking, seats: Iterable[BookedSeat]) -> BookingView:
    """Render one booking; `seats` are all its seats, live or given back."""
    label_of = {int(each): plan.train.labels[o] for o, each in enumerate(plan.train.seat_ids)}
    ordered = sorted(seats, key=lambda each: each.seat_id)
    return BookingView(
        pnr=booking.pnr or "",
        status=booking.status,
        hold=booking.hold,
        seats=tuple(label_of[each.seat_id] for each in ordered),
        passengers=tuple(each.passenger for each in ordered),
        fare=booking.fare,
        fare_parts=_parts(ordered),
        currency=booking.currency,
        created_at=booking.created_at,
        cancelled_at=booking.cancelled_at,
        **journey(plan, booking.from_stop, booking.to_stop),
    )


def _parts(seats: Iterable[BookedSeat]) -> dict[str, Decimal]:
    """What the seats come to, part by part, in the order a fare is made of them."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for seat in seats:
        for part, amount in seat.fare_parts.items():
            if part in PARTS:
                sums[part] += Decimal(amount)
    return {part: sums[part] for part in PARTS if part in sums}


def journey(plan: Plan, from_stop: int, to_stop: int) -> dict[str, Any]:
    """The parts of a view that come from the timetable; times are UTC."""
    boards, leaves = plan.train.stops[from_stop], plan.train.stops[to_stop]
    return {
        "departure": plan.departure,
        "train": {"number": plan.train.number, "name": plan.train.name},
        "service_date": plan.service_date.isoformat(),
        "source": {
            "code": boards.code,
            "name": boards.name,
            "departs_at": plan.starts_at + timedelta(seconds=boards.departure_seconds),
        },
        "destination": {
            "code": leaves.code,
            "name": leaves.name,
            "arrives_at": plan.starts_at + timedelta(seconds=leaves.arrival_seconds),
        },
    }


def view_bookings(bookings: list[Booking]) -> list[BookingView]:
    """Render many, in a fixed number of queries."""
    plans = plans_of({booking.departure_id for booking in bookings})
    seats: dict[int, list[BookedSeat]] = {booking.pk: [] for booking in bookings}
    for seat in BookedSeat.objects.filter(booking__in=bookings):
        seats[seat.booking_id].append(seat)
    return [
        view_booking(plans[booking.departure_id], booking, seats[booking.pk])
        for booking in bookings
    ]

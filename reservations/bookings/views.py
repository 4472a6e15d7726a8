"""A booking as its owner or staff see it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from reservations.availability.plans import Plan, plans_of
from reservations.bookings.money_back import RefundStand, stands_of
from reservations.models import BookedSeat, Booking, Cancellation
from trains.fares import PARTS, ZERO


@dataclass(frozen=True, kw_only=True)
class CancellationView:
    """Seats that were given back: when, by whom ("owner", "agent", "staff"), by which rule."""

    at: datetime
    by: str
    rule: str
    seats: tuple[str, ...]
    fare: Decimal
    refund: RefundStand


@dataclass(frozen=True, kw_only=True)
class BookingView:
    """One booking. `seats` are those it has; once cancelled, all that were given back. `fare`, with
    its parts, is for them, `passengers` run beside them (None: unnamed). `cancellations`: the first
    one first.
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
    cancellations: tuple[CancellationView, ...] = ()

    @property
    def cancellation(self) -> CancellationView | None:
        """The latest."""
        return self.cancellations[-1] if self.cancellations else None


def view_booking(
    plan: Plan,
    booking: Booking,
    seats: Iterable[BookedSeat],
    label_of: Mapping[int, str],
    given_back: Sequence[tuple[Cancellation, RefundStand]] = (),
) -> BookingView:
    """Render one booking; `seats` are all its seats, live or given back, also on a departure it
    was moved from; `label_of` knows them by id. `given_back` in order.
    """
    rows = sorted(seats, key=lambda each: each.seat_id)
    ordered = _shown(booking, rows)
    cancelled = booking.status == Booking.Status.CANCELLED
    earlier = sum((each.fare for each, _ in given_back[:-1]), ZERO) if cancelled else ZERO
    return BookingView(
        pnr=booking.pnr or "",
        status=booking.status,
        hold=booking.hold,
        seats=tuple(label_of[each.seat_id] for each in ordered),
        passengers=tuple(each.passenger for each in ordered),
        fare=booking.fare + earlier,
        fare_parts=_parts(ordered),
        currency=booking.currency,
        created_at=booking.created_at,
        cancelled_at=booking.cancelled_at,
        cancellations=tuple(
            CancellationView(
                at=each.at,
                by=each.by,
                rule=each.rule,
                seats=tuple(
                    label_of[row.seat_id] for row in rows if row.cancellation_id == each.pk
                ),
                fare=each.fare,
                refund=stand,
            )
            for each, stand in given_back
        ),
        **journey(plan, booking.from_stop, booking.to_stop),
    )


def _shown(booking: Booking, rows: Sequence[BookedSeat]) -> Sequence[BookedSeat]:
    """The seats it has; of a cancelled booking those it gave back (not one exchanged before)."""
    if booking.status == Booking.Status.CONFIRMED:
        return [row for row in rows if row.live]
    return [row for row in rows if row.cancellation_id is not None] or rows


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
    seats: dict[int, list[BookedSeat]] = {booking.pk: [] for booking in bookings}
    for seat in BookedSeat.objects.filter(booking__in=bookings):
        seats[seat.booking_id].append(seat)
    plans = plans_of(
        {booking.departure_id for booking in bookings}
        | {row.departure_id for rows in seats.values() for row in rows}
    )
    label_of = {
        int(seat): plan.train.labels[ordinal]
        for plan in plans.values()
        for ordinal, seat in enumerate(plan.train.seat_ids)
    }
    given_back = _given_back([each for each in bookings if each.revision > 1])
    return [
        view_booking(
            plans[booking.departure_id],
            booking,
            seats[booking.pk],
            label_of,
            given_back.get(booking.pk, ()),
        )
        for booking in bookings
    ]


def _given_back(
    changed: Sequence[Booking],
) -> dict[int, list[tuple[Cancellation, RefundStand]]]:
    """What was given back of bookings whose seats have changed, by booking, the first first."""
    if not changed:
        return {}
    rows = list(Cancellation.objects.filter(booking__in=changed).order_by("pk"))
    stands = stands_of(rows)
    found: defaultdict[int, list[tuple[Cancellation, RefundStand]]] = defaultdict(list)
    for row in rows:
        found[row.booking_id].append((row, stands[row.pk]))
    return found

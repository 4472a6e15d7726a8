"""One transaction writes a booking's new seats and frees the old (P1 decides, P3: all or none).

    lock booking; still confirmed, these seats still its own?
    void row of the new hold, naming the booking     (rule 6: the sweep finds it, and settles)
    INSERT new seats                                 the exclusion constraint decides
    old seats not live, nobody named on them
    departure, stretch, fare, revision; money back; facts

Seats are written in sorted order, so that two that overlap wait instead of deadlocking.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.backends.postgresql.psycopg_any import NumericRange

from config.outbox.facts import Fact, append
from reservations.availability.plans import Plan
from reservations.bookings.money_back import give_back
from reservations.bookings.objections import refuse_if_used
from reservations.bookings.tombstone import absorb
from reservations.errors import IllegalState
from reservations.holds import ids
from reservations.holds.members import Member
from reservations.holds.states import STAGE
from reservations.models import BookedSeat, Booking
from trains.fares import ZERO, SeatFare

REASON = "fare-difference"


class HoldKnown(Exception):  # not an error: another was faster
    """The hold of the new seats is booked, buried or taken already."""


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """What is to be written. `rows` (the seats given up) and `fares` run beside the member's seats:
    who sat on the one sits on the other. `given_up` is what the old seats cost together.
    """

    booking: int
    plan: Plan
    member: Member
    rows: Sequence[BookedSeat]
    fares: Sequence[SeatFare]
    given_up: Decimal
    acting: Mapping[str, Any]

    @property
    def difference(self) -> Decimal:
        """To be paid; negative: it goes back."""
        return sum((fare.total for fare in self.fares), ZERO) - self.given_up

    @property
    def seat_ids(self) -> list[int]:
        """Of the new seats."""
        return [int(self.plan.train.seat_ids[ordinal]) for ordinal in self.member.ordinals]


def exchange(new: Exchange) -> tuple[Booking, Decimal]:
    """Write it, in the caller's transaction; the booking, and how much goes back by gateways.

    Raises `IllegalState` (cancelled, boarded, or its seats were changed meanwhile), `HoldKnown`,
    `IntegrityError` (the exclusion constraint refused).
    """
    booking = Booking.objects.select_for_update().get(pk=new.booking)
    _refuse_if_stale(booking, new)
    ref = ids.read(new.member.hold)
    if not absorb(ref, booking.pk):
        raise HoldKnown
    left, old = booking.departure_id, (booking.from_stop, booking.to_stop)

    # From here the change must succeed, or PostgreSQL must say no.
    BookedSeat.objects.bulk_create(_rows(booking, new))
    BookedSeat.objects.filter(pk__in=[row.pk for row in new.rows]).update(
        live=False, passenger=None
    )
    booking.departure_id = ref.departure
    booking.from_stop, booking.to_stop = new.member.from_stop, new.member.to_stop
    booking.fare += new.difference
    booking.fence = new.member.fence
    booking.revision += 1
    booking.save(update_fields=["departure", "from_stop", "to_stop", "fare", "fence", "revision"])
    back = ZERO
    if new.difference < 0:
        back = give_back(booking=booking, amount=-new.difference, reason=REASON)
    append(_freed(booking, new, left, old), _changed(booking, new, left))
    return booking, back


def _refuse_if_stale(booking: Booking, new: Exchange) -> None:
    if booking.status != Booking.Status.CONFIRMED:
        raise IllegalState("The booking is cancelled already.", booking.status)
    refuse_if_used(booking)
    live = set(BookedSeat.objects.filter(booking=booking, live=True).values_list("pk", flat=True))
    given_up = {row.pk for row in new.rows}
    stays = new.plan.departure == booking.departure_id and (
        (new.member.from_stop, new.member.to_stop) == (booking.from_stop, booking.to_stop)
    )
    if not given_up <= live or not (stays or given_up == live):
        raise IllegalState("The seats of the booking were changed meanwhile.", "changed")


def _rows(booking: Booking, new: Exchange) -> list[BookedSeat]:
    legs = NumericRange(new.member.from_stop, new.member.to_stop)
    rows = [
        BookedSeat(
            booking=booking,
            departure_id=new.plan.departure,
            seat_id=seat,
            legs=legs,
            passenger=row.passenger,
            fare=fare.total,
            fare_parts=fare.as_text(),
        )
        for seat, row, fare in zip(new.seat_ids, new.rows, new.fares, strict=True)
    ]
    return sorted(rows, key=lambda row: row.seat_id)


def _changed(booking: Booking, new: Exchange, left: int) -> Fact:
    stops, train = new.plan.train.stops, new.plan.train
    return _fact(
        booking,
        "changed",
        {
            "departure": new.plan.departure,
            "by_hold": new.member.hold,
            "from_departure": left,
            "train": train.number,
            "service_date": new.plan.service_date.isoformat(),
            "source": stops[new.member.from_stop].code,
            "destination": stops[new.member.to_stop].code,
            "from_stop": new.member.from_stop,
            "to_stop": new.member.to_stop,
            "seats": list(new.member.labels),
            "seat_ids": new.seat_ids,
            "fare": str(booking.fare),
            "difference": str(new.difference),
            "currency": booking.currency,
            **new.acting,
        },
    )


def _freed(booking: Booking, new: Exchange, left: int, stretch: tuple[int, int]) -> Fact:
    """The seats given up, on the departure they are of: who waits there is served."""
    return _fact(
        booking,
        "seats-exchanged",
        {
            "departure": left,
            "from_stop": stretch[0],
            "to_stop": stretch[1],
            "seat_ids": [row.seat_id for row in new.rows],
            **new.acting,
        },
    )


def _fact(booking: Booking, what: str, body: Mapping[str, Any]) -> Fact:
    return Fact(
        event_id=f"{booking.pnr}:{what}:{booking.revision}",
        kind=f"booking.{what}",
        subject=booking.pnr or "",
        stage=STAGE[f"booking.{what}"],
        number=booking.revision,
        body={"hold": booking.hold, "pnr": booking.pnr, "user": booking.owner_id, **body},
        subscribed=True,
    )

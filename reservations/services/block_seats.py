"""Staff keep seats of one departure out of sale (maintenance, quota), and give them back."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from config.errors import Invalid
from config.outbox.facts import Fact, append
from reservations.availability.plans import Plan, read_again
from reservations.errors import SeatUnavailable
from reservations.models import BookedSeat, SeatBlock
from trains.services.touch_departures import touch_departures


@dataclass(frozen=True, kw_only=True)
class Blocked:
    """The seats out of sale on a departure after the change, by label."""

    departure: int
    seats: tuple[str, ...]


def block_seats(*, actor: int, departure: int, seats: Sequence[str], reason: str) -> Blocked:
    """Take seats out of sale over all legs. A live hold of one is honoured: the block counts after.

    Raises `NotFound`, `Invalid` (no such seat), `SeatUnavailable` (booked already).
    """
    plan = _plan(departure, seats)
    ids = _seat_ids(plan, seats)
    with transaction.atomic():
        # By way of the bookings, which have an index Django's small integers can use.
        rows = BookedSeat.objects.filter(booking__departure=departure, seat__in=ids, live=True)
        sold = set(rows.values_list("seat_id", flat=True))
        if sold:
            labels = [label for label, seat in zip(seats, ids, strict=True) if seat in sold]
            raise SeatUnavailable(labels, [])

        # From here the block must succeed.
        SeatBlock.objects.bulk_create(
            [
                SeatBlock(departure_id=departure, seat_id=seat, reason=reason, created_by_id=actor)
                for seat in ids
            ],
            ignore_conflicts=True,
        )
        _tell(actor, departure, "blocked", seats, reason)
    return _blocked(plan)


def unblock_seats(*, actor: int, departure: int, seats: Sequence[str], reason: str) -> Blocked:
    """Give seats back to the sale; one that was not blocked stays as it is."""
    plan = _plan(departure, seats)
    with transaction.atomic():
        SeatBlock.objects.filter(departure=departure, seat__in=_seat_ids(plan, seats)).delete()
        _tell(actor, departure, "unblocked", seats, reason)
    return _blocked(plan)


def _plan(departure: int, seats: Sequence[str]) -> Plan:
    from config.errors import NotFound

    plan = read_again([departure]).get(departure)
    if plan is None:
        raise NotFound("There is no such departure")
    unknown = [label for label in seats if label not in plan.train.ordinal_of]
    if unknown:
        raise Invalid({"seats": [f"There is no seat {', '.join(unknown)}."]})
    return plan


def _seat_ids(plan: Plan, seats: Sequence[str]) -> list[int]:
    return [int(plan.train.seat_ids[plan.train.ordinal_of[label]]) for label in seats]


def _tell(actor: int, departure: int, what: str, seats: Sequence[str], reason: str) -> None:
    """The staff fact, and the departure's new revision, which refreshes the seat image."""
    revisions = touch_departures(fields=["blocks"], actor_id=actor, departure_ids=[departure])
    number = revisions[departure]
    append(
        Fact(
            event_id=f"departure:{departure}:seats-{what}:{number}",
            kind=f"staff.seats-{what}",
            subject=f"departure:{departure}",
            stage=1,
            number=number,
            body={"actor": actor, "seats": list(seats), "reason": reason, "departure": departure},
        )
    )


def _blocked(plan: Plan) -> Blocked:
    rows = set(SeatBlock.objects.filter(departure=plan.departure).values_list("seat_id", flat=True))
    labels = tuple(
        label
        for label, seat in zip(plan.train.labels, plan.train.seat_ids, strict=True)
        if int(seat) in rows
    )
    return Blocked(departure=plan.departure, seats=labels)

"""What the seats of a hold or a booking cost, each for its passenger.

The fare is fixed when the seats are held. A concession claimed with the lock is in it; one that is
claimed only at confirm may lower it, never raise it.
"""

from collections.abc import Sequence

from config.errors import Invalid
from reservations.availability.plans import Plan, Stretch
from reservations.bookings.passengers import Passenger
from reservations.holds.members import Member
from trains.errors import FareMissing
from trains.fares import Concession, SeatFare


def price_group(
    plan: Plan, stretch: Stretch, ordinals: Sequence[int], people: Sequence[Passenger]
) -> list[SeatFare]:
    """The fares of these seats; `people` run beside them, or are empty: the full fare.

    Raises `FareMissing`.
    """
    beside: Sequence[Passenger | None] = people or [None] * len(ordinals)
    return [
        plan.seat_fare(stretch, plan.train.travel_class_of(ordinal), _due(plan, person))
        for ordinal, person in zip(ordinals, beside, strict=True)
    ]


def price_booking(plan: Plan, member: Member, people: Sequence[Passenger | None]) -> list[SeatFare]:
    """The fares of a held hold's seats, now that it is known who sits there (empty: nobody is).

    Raises `Invalid`: a seat was held for a concession that its passenger has no right to.
    """
    held = list(member.held_fare.seats)
    if not people:
        return held
    stretch = Stretch(member.from_stop, member.to_stop)
    beside = zip(held, member.ordinals, member.labels, people, strict=True)
    return [_repriced(plan, stretch, *seat) for seat in beside]


def _repriced(  # noqa: PLR0913, PLR0917  # a seat of `price_booking`
    plan: Plan,
    stretch: Stretch,
    held: SeatFare,
    ordinal: int,
    label: str,
    person: Passenger | None,
) -> SeatFare:
    due = _due(plan, person)
    if held.granted:
        if due is None or due.code != held.granted:
            told = f"{label} was held at the fare of a {held.granted}; lock again for others."
            raise Invalid({"passengers": [told]})
        return held
    if due is None:
        return held
    try:
        lower = plan.seat_fare(stretch, plan.train.travel_class_of(ordinal), due)
    except FareMissing:  # the table was ended since; the fare that was told stands
        return held
    return min(held, lower, key=lambda fare: fare.total)


def _due(plan: Plan, person: Passenger | None) -> Concession | None:
    if person is None or plan.fares is None:
        return None
    return plan.fares.concession(person.age, person.gender)

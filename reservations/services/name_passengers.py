"""Who travels on the seats of a hold: checked, and brought into the order of the seats."""

from collections.abc import Sequence

from config.errors import Invalid
from reservations.availability.plans import Plan
from reservations.bookings.passengers import Passenger
from reservations.holds import ids, people
from reservations.holds.members import Member


def refuse_wrong_party(plan: Plan | None, passengers: Sequence[Passenger], seats: int) -> None:
    """Raises `Invalid` (field `passengers`): not one a seat, or children without an adult where
    the fare table asks for one.
    """
    if not passengers:
        return
    if len(passengers) != seats:
        raise Invalid({"passengers": [f"Name {seats} passengers, one per seat."]})
    fares = plan.fares if plan else None
    if fares is None or fares.accompanied_below_age is None:
        return
    ages = [each.age for each in passengers if each.age is not None]
    if any(age < fares.accompanied_below_age for age in ages) and not any(
        age >= fares.adult_from_age for age in ages
    ):
        raise Invalid({"passengers": [f"Somebody of {fares.adult_from_age} must travel along."]})


def passengers_of(
    plan: Plan, ref: ids.HoldRef, member: Member, named: Sequence[Passenger]
) -> list[Passenger]:
    """Those named now, or else those named with the lock, in the order of the seats; or nobody.

    Raises `Invalid`: see `refuse_wrong_party`; or the names given with the lock are lost.
    """
    refuse_wrong_party(plan, named, len(member.labels))
    if named or not member.held_fare.names_kept:
        return list(named)
    kept = people.find(ref)
    if kept is None or len(kept) != len(member.labels):
        raise Invalid({"passengers": ["The names given with the lock are lost; name them again."]})
    return [Passenger(**each) for each in kept]

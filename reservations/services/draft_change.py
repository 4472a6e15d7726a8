"""What a change would be: which seats are given up, and new ones, held, for the same people.

The old seats are untouched. What is drafted here is made, or paid for and then made, by
`change_booking`; if nothing comes of it the hold of the new seats runs out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from config import clock
from config.errors import Invalid, NotFound
from reservations.availability.berths import seat_party
from reservations.availability.plans import Plan, Stretch, read_again
from reservations.bookings import quote
from reservations.bookings.exchange import Exchange
from reservations.bookings.objections import refuse_if_used
from reservations.bookings.passengers import Passenger
from reservations.errors import IllegalState
from reservations.holds import capabilities, ids
from reservations.holds.members import Member, parse
from reservations.models import BookedSeat, Booking
from reservations.services.choose_seats import Preference, SeatWish
from reservations.services.confirm_booking import plan_with
from reservations.services.hold_seats import Owner, hold_seats
from reservations.services.price_seats import price_booking
from trains.fares import ZERO


@dataclass(frozen=True, kw_only=True)
class ChangeWish:
    """What is wished instead. `instead_of`: the seats (labels) to give up, all if empty; `seats`
    run beside them, or are empty: the best of `travel_class` (None: the same class). `departure`,
    `source`, `destination`: as they are, if None; to change them all seats must move.
    """

    seats: tuple[str, ...] = ()
    instead_of: tuple[str, ...] = ()
    departure: int | None = None
    source: str | None = None
    destination: str | None = None
    travel_class: str | None = None
    preference: Preference = "together"


@dataclass(frozen=True, kw_only=True)
class Draft:
    """The new seats are held for `owner`; `capability` is the hold's."""

    owner: Owner
    new: Exchange
    capability: str
    by_staff: bool = False


def find_booking(*, actor: int, as_staff: bool, pnr: str) -> Booking:
    """A booking of mine, or as staff anybody's, that can be changed.

    Raises `NotFound`, `IllegalState` (cancelled, boarded).
    """
    found = Booking.objects.filter(pnr=pnr)
    booking = (found if as_staff else found.filter(owner=actor)).first()
    if booking is None:
        raise NotFound("There is no such booking")
    if booking.status != Booking.Status.CONFIRMED:
        raise IllegalState("The booking is cancelled already.", booking.status)
    refuse_if_used(booking)
    return booking


def draft_change(
    *, owner: Owner, booking: Booking, wish: ChangeWish, seed: str, by_staff: bool
) -> Draft:
    """Hold the new seats for this booking of the owner's. `seed`: of a request with a key, so that
    a repeat finds the hold it made, or "".

    Raises `Invalid`, `IllegalState` (the train has left) and what `hold_seats` raises.
    """
    plan = read_again([booking.departure_id])[booking.departure_id]
    stretch = Stretch(booking.from_stop, booking.to_stop)
    if plan.boards_at(stretch) <= clock.now():
        raise IllegalState("The train has left the boarding stop.", "departed")
    live = list(BookedSeat.objects.filter(booking=booking, live=True).order_by("seat_id"))
    rows = _given_up(plan, live, wish.instead_of)
    seats = _seat_wish(plan, booking, rows, wish)
    if _moves(plan, stretch, seats) and len(rows) != len(live):
        raise Invalid({"instead_of": ["All seats of a booking travel together: leave this out."]})
    claimed = None
    if seed:
        claimed = ids.mint(departure=seats.departure, user=owner.user, seed=seed.encode())
    most = max(len(rows), settings.ENV.hold_max_seats)
    held = hold_seats(owner=owner, wish=seats, claimed=claimed, most_seats=most)
    sealed = capabilities.open_sealed(held.capability or "")
    member = parse(sealed.member, sealed.deadline_ms)
    there = plan_with(seats.departure, member)
    beside = _beside(there, member, rows, wish.seats)
    new = exchange_of(booking, there, member, beside, acting=owner.acting)
    return Draft(owner=owner, new=new, capability=held.capability or "", by_staff=by_staff)


def exchange_of(
    booking: Booking,
    plan: Plan,
    member: Member,
    rows: Sequence[BookedSeat],
    *,
    acting: Mapping[str, Any],
) -> Exchange:
    """The exchange of these seats, in the order of the member's, for the held ones. Their fare is
    that of the hold, less what a concession of who sits there takes off.
    """
    live = list(BookedSeat.objects.filter(booking=booking, live=True).order_by("seat_id"))
    fares = quote.fares_of(booking, live)
    people = [Passenger(**row.passenger) if row.passenger else None for row in rows]
    return Exchange(
        booking=booking.pk,
        plan=plan,
        member=member,
        rows=rows,
        fares=price_booking(plan, member, people),
        given_up=sum((fares.get(row.pk, row.fare) for row in rows), ZERO),
        acting=acting,
    )


def _given_up(
    plan: Plan, live: Sequence[BookedSeat], labels: Sequence[str]
) -> Sequence[BookedSeat]:
    """The rows of these seats, in the order they are named; all if none is."""
    if not labels:
        return live
    train = plan.train
    label_of = {int(seat): train.labels[o] for o, seat in enumerate(train.seat_ids)}
    mine = {label_of.get(row.seat_id): row for row in live}
    found = [mine[label] for label in dict.fromkeys(labels) if label in mine]
    if len(found) != len(labels):
        raise Invalid({"instead_of": ["Name seats of this booking, each once."]})
    return found


def _seat_wish(
    plan: Plan, booking: Booking, rows: Sequence[BookedSeat], wish: ChangeWish
) -> SeatWish:
    """As a lock takes it."""
    if wish.seats and len(wish.seats) != len(rows):
        raise Invalid({"seats": [f"Name {len(rows)} seats, one for each that is given up."]})
    if wish.seats and wish.travel_class is not None:
        raise Invalid({"travel_class": ["Name seats or a class, not both."]})
    stops, travel_class = plan.train.stops, None
    if not wish.seats:
        travel_class = wish.travel_class or _class_of(plan, rows)
    return SeatWish(
        departure=wish.departure or booking.departure_id,
        source=wish.source or stops[booking.from_stop].code,
        destination=wish.destination or stops[booking.to_stop].code,
        seats=wish.seats,
        travel_class=travel_class,
        count=len(rows),
        preference=wish.preference,
    )


def _class_of(plan: Plan, rows: Sequence[BookedSeat]) -> str:
    train = plan.train
    ordinal_of = {int(seat): ordinal for ordinal, seat in enumerate(train.seat_ids)}
    classes = {train.travel_class_of(ordinal_of[row.seat_id]) for row in rows}
    if len(classes) > 1:
        raise Invalid({"travel_class": ["The seats are of several classes: name one, or seats."]})
    return classes.pop()


def _moves(plan: Plan, stretch: Stretch, seats: SeatWish) -> bool:
    if seats.departure != plan.departure:
        return True
    return plan.stretch(seats.source, seats.destination) != stretch


def _beside(
    plan: Plan, member: Member, rows: Sequence[BookedSeat], named: Sequence[str]
) -> Sequence[BookedSeat]:
    """The rows in the order of the member's seats: as they were named, or by berth preference."""
    if named:
        row_of = dict(zip(named, rows, strict=True))
        return [row_of[label] for label in member.labels]
    wishes = [(row.passenger or {}).get("berth_preference") for row in rows]
    positions = [plan.train.positions[ordinal] for ordinal in member.ordinals]
    return [rows[index] for index in seat_party(positions, wishes)]

"""Plan: another vehicle runs on a sold departure; who sits on a seat it lacks gets another.

    staff                          PostgreSQL                       Redis
      | which coaches run as what    |                                |
      |                              |<-- look: what is free ---------|
      | blocks: lost seats nobody    |                                |
      | bought, and those to move to;|                                |
      | plan; COMMIT --------------->| refresh ---------------------->| no new hold of any of them
      |                              |<-- look: held meanwhile? ------| then: dropped, look again
      |<---- the plan                |                                |
      | confirm, or drop (`reseat_departure`)

What a plan promises stays so: its seats are blocked until it is confirmed or dropped. Nobody who
holds a seat loses it to a plan (P2).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.db import IntegrityError, connection, transaction

from config import clock
from config.errors import Invalid, NotFound, StoreUnavailable
from config.outbox.facts import Fact, append
from reservations.availability.plans import Plan, Stretch, read_again
from reservations.availability.reseating import Move, Party, reseat
from reservations.availability.words import Words, set_legs, words_of
from reservations.errors import IllegalState
from reservations.holds import store
from reservations.models import BookedSeat, Booking, Reseating, SeatBlock
from reservations.services.choose_seats import taken_now
from reservations.services.refresh_image import refresh_departure
from trains.models import Coach, VehicleTemplate
from trains.services.touch_departures import touch_departures

LOOKS: Final = 5
BLOCKED_FOR: Final = "re-seating"
_BLOCK: Final = """
INSERT INTO reservations_seatblock (departure_id, seat_id, reason, created_by_id)
SELECT %s, unnest(%s::bigint[]), %s, %s
ON CONFLICT DO NOTHING
RETURNING seat_id
"""


@dataclass(frozen=True, kw_only=True)
class Swap:
    """How a coach (label) runs: as a vehicle of another template, with `seats` of them (None: as
    many as the template has); `vehicle` None: not at all.
    """

    coach: str
    vehicle: str | None = None
    seats: int | None = None


def plan_reseating(*, departure: int, actor: int, swaps: Sequence[Swap], reason: str) -> Reseating:
    """Propose other seats for who sits on seats that the other vehicle lacks.

    A vehicle of another class has none of a coach's seats. Raises `NotFound`, `Invalid` (no such
    coach or vehicle, no seat is lost), `IllegalState` (a plan is open), `StoreUnavailable`.
    """
    plan = read_again([departure]).get(departure)
    if plan is None:
        raise NotFound(f"There is no departure {departure}.")
    lost = _lost(plan, swaps)
    for _ in range(LOOKS):
        made = _propose(plan, lost, actor, reason)
        refresh_departure(departure=departure)
        if not _held_meanwhile(plan, made):
            return made
        drop_blocks(made, actor)
        made.delete()
    raise StoreUnavailable("Seats go faster than a plan is made; close the departure first.")


def _lost(plan: Plan, swaps: Sequence[Swap]) -> list[int]:
    """The ordinals that the vehicles named lack."""
    coaches = {coach.label: coach for coach in Coach.objects.filter(train=plan.train.id)}
    codes = {swap.vehicle for swap in swaps if swap.vehicle}
    templates = VehicleTemplate.objects.in_bulk(list(codes), field_name="code")
    errors: dict[str, list[str]] = {}
    lost: list[int] = []
    for at, swap in enumerate(swaps):
        coach = coaches.get(swap.coach)
        if coach is None:
            errors[f"coaches.{at}.coach"] = [f"{plan.train.number} has no coach {swap.coach}."]
            continue
        if swap.vehicle and swap.vehicle not in templates:
            errors[f"coaches.{at}.vehicle"] = [f"There is no vehicle {swap.vehicle}."]
            continue
        seats = _seats_left(coach, templates.get(swap.vehicle or ""), swap)
        order = next(i for i, each in enumerate(plan.train.coaches) if each.label == swap.coach)
        here = np.flatnonzero((plan.train.coach_of == order) & (plan.train.numbers > seats))
        lost += [int(ordinal) for ordinal in here]
    if errors:
        raise Invalid(errors)
    if not lost:
        raise Invalid({"coaches": ["No seat is lost: nobody has to move."]})
    return sorted(set(lost))


def _seats_left(coach: Coach, template: VehicleTemplate | None, swap: Swap) -> int:
    if template is None or template.travel_class != coach.travel_class:
        return 0
    return int(template.layout["capacity"]) if swap.seats is None else swap.seats


def _propose(plan: Plan, lost: Sequence[int], actor: int, reason: str) -> Reseating:
    """Blocks and plan, in one transaction."""
    train = plan.train
    taken = taken_now(plan)
    taken[list(lost)] = np.uint32(0xFFFFFFFF)
    seat_id = [int(each) for each in train.seat_ids]
    with transaction.atomic():
        sold = list(
            BookedSeat.objects.select_related("booking")
            .filter(booking__departure=plan.departure, live=True)
            .filter(seat__in=[seat_id[ordinal] for ordinal in lost])
            .order_by("booking_id", "seat_id")
        )
        moves = reseat(train, taken, _parties(plan, sold))
        free = set(lost) - {move.old for move in moves}
        targets = {move.new for move in moves if move.new is not None}
        mine = _block(plan, sorted(free | targets), actor)
        pnr_of = {row.booking_id: row.booking.pnr for row in sold}
        try:
            made = Reseating.objects.create(
                departure_id=plan.departure,
                reason=reason,
                actor_id=actor,
                lost=[seat_id[ordinal] for ordinal in lost],
                blocked=mine,
                moves=[_move_row(move, seat_id, pnr_of) for move in moves],
                made_at=clock.now(),
            )
        except IntegrityError:
            raise IllegalState("Confirm or drop the plan that is open.", "proposed") from None
        touch_departures(fields=["blocks"], actor_id=actor, departure_ids=[plan.departure])
        append(staff_fact(made, "proposed", actor))
    return made


def _move_row(move: Move, seat_id: Sequence[int], pnr_of: dict[int, str | None]) -> dict[str, Any]:
    new = None if move.new is None else seat_id[move.new]
    return {
        "booking": move.booking,
        "pnr": pnr_of[move.booking],
        "old": seat_id[move.old],
        "new": new,
    }


def _parties(plan: Plan, sold: Sequence[BookedSeat]) -> list[Party]:
    """Who loses seats: a party for each booking and class."""
    ordinal_of = {int(seat): ordinal for ordinal, seat in enumerate(plan.train.seat_ids)}
    found: defaultdict[tuple[int, str], list[int]] = defaultdict(list)
    bookings: dict[int, Booking] = {}
    for row in sold:
        ordinal = ordinal_of[row.seat_id]
        found[row.booking_id, plan.train.travel_class_of(ordinal)].append(ordinal)
        bookings[row.booking_id] = row.booking
    return [
        Party(
            booking=booking,
            stretch=Stretch(bookings[booking].from_stop, bookings[booking].to_stop),
            ordinals=tuple(sorted(ordinals)),
        )
        for (booking, _), ordinals in found.items()
    ]


def _block(plan: Plan, ordinals: Sequence[int], actor: int) -> list[int]:
    """Keep these seats out of sale; the ids of those that were not blocked before.

    One statement: staff may be blocking one of them this moment.
    """
    ids = [int(plan.train.seat_ids[ordinal]) for ordinal in ordinals]
    with connection.cursor() as cursor:
        cursor.execute(_BLOCK, [plan.departure, ids, BLOCKED_FOR, actor])
        return [seat for (seat,) in cursor.fetchall()]


def _held_meanwhile(plan: Plan, made: Reseating) -> bool:
    """Whether somebody holds, or has bought, a seat where a passenger is to move to.

    Asked after the blocks are in the image: from then on nobody new can.
    """
    (image,) = store.read_images([plan.departure])
    ordinal_of = {int(seat): ordinal for ordinal, seat in enumerate(plan.train.seat_ids)}
    wanted = _wanted(plan, made, ordinal_of)
    if (words_of(image.held, plan.train) & wanted).any():
        return True
    rows = BookedSeat.objects.filter(
        booking__departure=plan.departure, live=True, seat__in=[m["new"] for m in made.moves]
    )
    sold = np.zeros_like(wanted)
    for row in rows:
        _set(sold, ordinal_of[row.seat_id], row.legs.lower, row.legs.upper)
    return bool((sold & wanted).any())


def _wanted(plan: Plan, made: Reseating, ordinal_of: dict[int, int]) -> Words:
    wanted = words_of(b"", plan.train)
    bookings = Booking.objects.in_bulk([move["booking"] for move in made.moves])
    for move in made.moves:
        if move["new"] is not None:
            booking = bookings[move["booking"]]
            _set(wanted, ordinal_of[move["new"]], booking.from_stop, booking.to_stop)
    return wanted


def _set(words: Words, ordinal: int, from_stop: int, to_stop: int) -> None:
    set_legs(words, *(np.array([each], np.int64) for each in (ordinal, from_stop, to_stop)))


def drop_blocks(made: Reseating, actor: int) -> None:
    """Give back to the sale what the plan kept out of it."""
    with transaction.atomic():
        SeatBlock.objects.filter(departure=made.departure_id, seat__in=made.blocked).delete()
        touch_departures(fields=["blocks"], actor_id=actor, departure_ids=[made.departure_id])


def staff_fact(made: Reseating, what: str, actor: int, *, reason: str = "") -> Fact:
    subject = f"departure:{made.departure_id}"
    return Fact(
        event_id=f"{subject}:reseating-{what}:{made.pk}",
        kind=f"staff.reseating-{what}",
        subject=subject,
        stage=1,
        number=made.pk,
        body={
            "actor": actor,
            "reason": reason or made.reason,
            "departure": made.departure_id,
            "lost": made.lost,
            "moved": len([move for move in made.moves if move["new"] is not None]),
            "without_seat": len([move for move in made.moves if move["new"] is None]),
        },
    )

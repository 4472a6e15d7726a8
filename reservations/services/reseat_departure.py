"""Confirm or drop a plan of other seats (`plan_reseating`).

Confirming is one transaction: seats, revisions, facts, mail and blocks, under the locks of all
bookings concerned. The exclusion constraint has the last word (P1). The blocks keep the new seats
from new holds until COMMIT, and the refresh after it makes them sold in the same step in which they
are no longer blocked. Whoever has no seat in the other vehicle gets the whole fare of it back.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from django.db import transaction

from config import clock
from config.errors import NotFound
from config.outbox.facts import Fact, append
from reservations.availability.plans import Plan, read_again
from reservations.bookings import quote
from reservations.bookings.quote import Override
from reservations.errors import IllegalState
from reservations.holds import store
from reservations.holds.states import STAGE
from reservations.models import (
    BookedSeat,
    Booking,
    BookingMail,
    Cancellation,
    Reseating,
    SeatBlock,
)
from reservations.services.cancel_booking import Who, cancel_locked
from reservations.services.plan_reseating import BLOCKED_FOR, drop_blocks, staff_fact
from trains.services.touch_departures import touch_departures

RULE: Final = "no-seat"


def confirm_reseating(*, reseating: int, actor: int, reason: str = "") -> Reseating:
    """Do what was planned: passengers move, are told, and have a new ticket. `reason`: why now,
    for the trail; "": that of the plan.

    Bookings cancelled since are left out. Raises `NotFound`, `IllegalState`: not proposed any more,
    or a lost seat was bought or is held by somebody the plan does not know ("outdated", "held").
    """
    with transaction.atomic():
        made = _lock(reseating)
        plan = read_again([made.departure_id])[made.departure_id]
        concerned = {move["booking"] for move in made.moves}
        locked = Booking.objects.select_for_update().filter(pk__in=concerned).order_by("pk")
        bookings = {booking.pk: booking for booking in locked}
        _refuse_if_outdated(made, plan)

        # From here the passengers move.
        SeatBlock.objects.filter(
            departure=made.departure_id, seat__in=[move["new"] for move in made.moves]
        ).filter(seat__in=made.blocked).delete()
        moves: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
        for move in made.moves:
            moves[move["booking"]].append(move)
        for pk in sorted(moves):
            if bookings[pk].status == Booking.Status.CONFIRMED:
                _move(plan, made, bookings[pk], moves[pk], actor)
        _block_lost(made, actor)
        _end(made, Reseating.State.DONE, actor, reason)
        touch_departures(fields=["blocks"], actor_id=actor, departure_ids=[made.departure_id])
    return made


def drop_reseating(*, reseating: int, actor: int, reason: str = "") -> Reseating:
    """Forget the plan: what it kept is on sale again. `reason` as for `confirm_reseating`.
    Raises `NotFound`, `IllegalState`.
    """
    with transaction.atomic():
        made = _lock(reseating)
        drop_blocks(made, actor)
        _end(made, Reseating.State.DROPPED, actor, reason)
    return made


def find_reseating(reseating: int) -> Reseating:
    """Raises `NotFound`."""
    made = Reseating.objects.filter(pk=reseating).first()
    if made is None:
        raise NotFound("There is no such plan")
    return made


def _lock(reseating: int) -> Reseating:
    made = Reseating.objects.select_for_update().filter(pk=reseating).first()
    if made is None:
        raise NotFound("There is no such plan")
    if made.state != Reseating.State.PROPOSED:
        raise IllegalState("The plan is not open any more.", made.state)
    return made


def _refuse_if_outdated(made: Reseating, plan: Plan) -> None:
    """Holds first, then rows: a hold that is gone by the first look has its row by the second."""
    lost = set(made.lost)
    (image,) = store.read_images([made.departure_id], members=True)
    for member in image.members:
        if lost & {int(plan.train.seat_ids[ordinal]) for ordinal in member.ordinals}:
            raise IllegalState("A lost seat is held; try again when the hold is over.", "held")
    known = {(move["booking"], move["old"]) for move in made.moves}
    rows = BookedSeat.objects.filter(
        booking__departure=made.departure_id, seat__in=made.lost, live=True
    )
    if set(rows.values_list("booking_id", "seat_id")) - known:
        raise IllegalState("A lost seat was booked since: drop it and plan again.", "outdated")


def _move(
    plan: Plan, made: Reseating, booking: Booking, moves: Sequence[dict[str, Any]], actor: int
) -> None:
    """One booking: those without a seat are given back, the others move."""
    rows = {row.seat_id: row for row in BookedSeat.objects.filter(booking=booking, live=True)}
    here = [move for move in moves if move["old"] in rows]
    without = [move["old"] for move in here if move["new"] is None]
    if without:
        _give_back(plan, made, booking, without, actor)
    moving = [move for move in here if move["new"] is not None]
    if not moving:
        return
    for move in moving:
        row = rows[move["old"]]
        row.seat_id = move["new"]
        row.save(update_fields=["seat_id"])
    booking.revision += 1
    booking.save(update_fields=["revision"])
    fact = _fact(plan, made, booking, moving, actor)
    append(fact)
    BookingMail.objects.create(event_id=fact.event_id, booking=booking, next_at=clock.now())


def _give_back(
    plan: Plan, made: Reseating, booking: Booking, seats: Sequence[int], actor: int
) -> None:
    """Seats the other vehicle has no place for: their whole fare goes back."""
    label_of = {int(each): plan.train.labels[o] for o, each in enumerate(plan.train.seat_ids)}
    told = Override(reason=made.reason)
    quoted = quote.decide(booking, [label_of[seat] for seat in seats], told)
    whole = replace(quoted, refund=quoted.fare, rule=RULE)
    who = Who(actor=actor, by=Cancellation.By.STAFF)
    cancel_locked(booking, whole, who, reason=made.reason)


def _block_lost(made: Reseating, actor: int) -> None:
    """All that the other vehicle lacks is out of sale, for good."""
    SeatBlock.objects.bulk_create(
        [
            SeatBlock(
                departure_id=made.departure_id,
                seat_id=seat,
                reason=BLOCKED_FOR,
                created_by_id=actor,
            )
            for seat in made.lost
        ],
        ignore_conflicts=True,
    )


def _end(made: Reseating, state: Reseating.State, actor: int, reason: str) -> None:
    made.state, made.ended_at = state, clock.now()
    made.save(update_fields=["state", "ended_at"])
    append(staff_fact(made, state.value, actor, reason=reason))


def _fact(
    plan: Plan, made: Reseating, booking: Booking, moves: Sequence[dict[str, Any]], actor: int
) -> Fact:
    """Old and new seats are named, so that the image follows for both."""
    label_of = {int(each): plan.train.labels[o] for o, each in enumerate(plan.train.seat_ids)}
    now = BookedSeat.objects.filter(booking=booking, live=True).order_by("seat_id")
    return Fact(
        event_id=f"{booking.pnr}:reseated:{booking.revision}",
        kind="booking.reseated",
        subject=booking.pnr or "",
        stage=STAGE["booking.reseated"],
        number=booking.revision,
        body={
            "hold": booking.hold,
            "pnr": booking.pnr,
            "user": booking.owner_id,
            "actor": actor,
            "departure": booking.departure_id,
            "seats": [label_of[seat] for seat in now.values_list("seat_id", flat=True)],
            "moved": [[label_of[move["old"]], label_of[move["new"]]] for move in moves],
            "seat_ids": [seat for move in moves for seat in (move["old"], move["new"])],
            "reason": made.reason,
        },
        subscribed=True,
    )

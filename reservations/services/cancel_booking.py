"""Cancel: a booking ends and its seats are free again.

Transaction first, then refresh: the row is the truth. A crash in between is mended by the outbox
consumer, which repeats the refresh until it is done.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import redis.exceptions
from django.db import transaction

from config import clock
from config.errors import Invalid, NotFound, StoreUnavailable
from config.outbox.facts import Fact, append
from reservations.availability.plans import plan_of
from reservations.errors import IllegalState
from reservations.holds import ids
from reservations.holds.states import STAGE
from reservations.models import BookedSeat, Booking
from reservations.services.refresh_image import refresh_seats

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Cancelled:
    """A cancelled booking and what is given back: `rule` names why it is that much."""

    pnr: str
    status: str
    refund: Decimal
    currency: str
    rule: str


def cancel_booking(
    *,
    actor: int,
    as_staff: bool,
    pnr: str,
    seats: Sequence[str] | None = None,
    acting: Mapping[str, Any] = MappingProxyType({}),
) -> Cancelled:
    """Cancel a whole booking of mine, or as staff of anybody's.

    `acting`: who did it for its owner, for the fact.

    Runs in the caller's transaction if there is one; the seats are refreshed after COMMIT. Raises
    `NotFound`, `Invalid` (part of a booking), `IllegalState` (cancelled already).
    """
    with transaction.atomic():
        found = Booking.objects.select_for_update().filter(pnr=pnr)
        booking = (found if as_staff else found.filter(owner=actor)).first()
        if booking is None:
            raise NotFound("There is no such booking")
        if booking.status != Booking.Status.CONFIRMED:
            raise IllegalState("The booking is cancelled already.", booking.status)
        rows = list(BookedSeat.objects.filter(booking=booking, live=True))
        _refuse_part(booking, rows, seats)

        # From here the cancellation must succeed.
        BookedSeat.objects.filter(booking=booking).update(live=False)
        booking.status = Booking.Status.CANCELLED
        booking.cancelled_at = clock.now()
        booking.save(update_fields=["status", "cancelled_at"])
        append(_fact(booking, rows, {"actor": actor, **acting}))
        transaction.on_commit(lambda: _free_seats(booking, [row.seat_id for row in rows]))
    return Cancelled(
        pnr=pnr,
        status=Booking.Status.CANCELLED.value,
        refund=Decimal("0.00"),
        currency=booking.currency,
        rule="none",
    )


def _refuse_part(booking: Booking, rows: Sequence[BookedSeat], seats: Sequence[str] | None) -> None:
    if seats is None:
        return
    train = plan_of(booking.departure_id).train
    label_of = {int(each): train.labels[o] for o, each in enumerate(train.seat_ids)}
    if set(seats) != {label_of[row.seat_id] for row in rows}:
        raise Invalid({"seats": ["A booking is cancelled as a whole: name all seats or none."]})


def _fact(booking: Booking, rows: Sequence[BookedSeat], who: Mapping[str, Any]) -> Fact:
    return Fact(
        event_id=f"{booking.pnr}:cancelled",
        kind="booking.cancelled",
        subject=booking.pnr or "",
        stage=STAGE["booking.cancelled"],
        body={
            "hold": booking.hold,
            "pnr": booking.pnr,
            "user": booking.owner_id,
            **who,
            "departure": booking.departure_id,
            "seat_ids": [row.seat_id for row in rows],
            "refund": "0.00",
            "currency": booking.currency,
            "rule": "none",
        },
        subscribed=True,
    )


def _free_seats(booking: Booking, seat_ids: Sequence[int]) -> None:
    try:
        refresh_seats(
            departure=booking.departure_id, seat_ids=seat_ids, hold=ids.read(booking.hold)
        )
    except (redis.exceptions.RedisError, StoreUnavailable):
        logger.warning("cancelled, but the image was not told; the outbox will", exc_info=True)

"""Cancel: a booking, or some of its seats, end; the seats are free again and money goes back.

    web                                   PostgreSQL                 Redis        gateway
     | lock booking; quote it               |                          |             |
     | seats, cancellation, refund due, ----> one transaction          |             |
     | fact, mail; COMMIT                   |                          |             |
     | refresh of these seats -------------------------------------------> free      |
     |                                      | task: what is due -------------------->| until done

Transaction first, then refresh: the row is the truth. A crash in between is mended by the outbox
consumer, which repeats the refresh until it is done; the refund is a row of the same transaction.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import redis.exceptions
from django.db import transaction
from django.db.models import QuerySet

from config import clock
from config.errors import NotFound, StoreUnavailable
from config.outbox.facts import Fact, append
from reservations.bookings import quote
from reservations.bookings.money_back import give_back
from reservations.bookings.quote import Override, Quote
from reservations.holds import ids
from reservations.holds.states import STAGE
from reservations.models import BookedSeat, Booking, BookingMail, Cancellation
from reservations.services.refresh_image import refresh_seats

__all__ = [
    "Cancelled",
    "Override",
    "Quote",
    "Who",
    "cancel_booking",
    "cancel_locked",
    "free_seats",
    "quote_cancellation",
]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Cancelled(Quote):
    """What was given back. `status` is the booking's now: confirmed while it has seats."""

    status: str


@dataclass(frozen=True, kw_only=True)
class Who:
    """Who cancels, and how the booking's detail calls them. `acting`: of an agent, for the fact."""

    actor: int
    by: Cancellation.By
    acting: Mapping[str, Any] = field(default_factory=dict)


def quote_cancellation(
    *, actor: int, as_staff: bool, pnr: str, seats: Sequence[str] | None = None
) -> Quote:
    """What cancelling a booking of mine, or these seats of it, would give back now.

    Changes nothing, and promises nothing about later: hours go by. Raises as `cancel_booking`.
    """
    booking = _find(Booking.objects.all(), actor, as_staff, pnr)
    return quote.decide(booking, seats, None)


def cancel_booking(  # noqa: PLR0913  # what API.md's call is made of
    *,
    actor: int,
    as_staff: bool,
    pnr: str,
    seats: Sequence[str] | None = None,
    acting: Mapping[str, Any] = MappingProxyType({}),
    override: Override | None = None,
) -> Cancelled:
    """Cancel a booking of mine, or as staff of anybody's; `seats` (labels): only these.

    `acting`: who did it for its owner, for the fact. `override` is staff's.

    Runs in the caller's transaction if there is one; the seats are refreshed after COMMIT. Raises
    `NotFound`, `Invalid` (`seats` not of this booking, `refund`), `IllegalState` (cancelled
    already, or boarded).
    """
    assert as_staff or override is None  # noqa: S101  # doors let only staff override
    is_alone = not transaction.get_connection().in_atomic_block
    with transaction.atomic():
        booking = _find(Booking.objects.select_for_update(), actor, as_staff, pnr)
        if is_alone and booking.status == Booking.Status.CANCELLED:
            _show_again(booking)
        quoted = quote.decide(booking, seats, override)
        by_staff = override is not None or (as_staff and actor != booking.owner_id)
        by = Cancellation.By.AGENT if acting else Cancellation.By.OWNER
        who = Who(actor=actor, by=Cancellation.By.STAFF if by_staff else by, acting=acting)

        # From here the cancellation must succeed.
        cancel_locked(booking, quoted, who, reason=override.reason if override else "")
    told = {name: getattr(quoted, name) for name in Quote.__dataclass_fields__}
    return Cancelled(**told, status=booking.status)


def cancel_locked(booking: Booking, quoted: Quote, who: Who, *, reason: str = "") -> Cancellation:
    """Write what was quoted. The caller's transaction holds the booking's lock since the quote."""
    cancellation = Cancellation.objects.create(
        booking=booking,
        at=clock.now(),
        by=who.by,
        actor_id=who.acting.get("actor", who.actor),
        rule=quoted.rule,
        fare=quoted.fare,
        refund=quoted.refund,
        reason=reason,
    )
    rows = [row.pk for row in quoted.rows]
    BookedSeat.objects.filter(pk__in=rows).update(live=False, cancellation=cancellation)
    booking.revision += 1
    if quoted.ends_booking:
        booking.status = Booking.Status.CANCELLED
        booking.cancelled_at = cancellation.at
    else:
        booking.fare -= quoted.fare
    booking.save(update_fields=["status", "cancelled_at", "fare", "revision"])
    give_back(booking=booking, amount=quoted.refund, reason=quoted.rule, cancellation=cancellation)
    fact = _fact(booking, quoted, who, reason)
    append(fact)
    mail = BookingMail(
        event_id=fact.event_id, booking=booking, cancellation=cancellation, next_at=clock.now()
    )
    BookingMail.objects.bulk_create([mail], ignore_conflicts=True)  # one a fact, like the fact
    seat_ids = list(
        BookedSeat.objects.filter(booking=booking).values_list("seat_id", flat=True)
        if quoted.ends_booking
        else (row.seat_id for row in quoted.rows)
    )
    hold, departure = booking.hold, booking.departure_id
    transaction.on_commit(lambda: free_seats(departure=departure, seat_ids=seat_ids, hold=hold))
    return cancellation


def free_seats(*, departure: int, seat_ids: Sequence[int], hold: str) -> None:
    """Show seats as their rows have them now, after COMMIT; what fails here the outbox repeats."""
    try:
        refresh_seats(departure=departure, seat_ids=seat_ids, hold=ids.read(hold))
    except (redis.exceptions.RedisError, StoreUnavailable):
        logger.warning("cancelled, but the image was not told; the outbox will", exc_info=True)


def _show_again(booking: Booking) -> None:
    """A repeat of a cancellation whose process died before it showed the seats as free: it is
    refused, but its seats are free then. Only of what has committed: nothing is free before.
    """
    rows = BookedSeat.objects.filter(booking=booking)
    seat_ids = list(rows.values_list("seat_id", flat=True))
    free_seats(departure=booking.departure_id, seat_ids=seat_ids, hold=booking.hold)


def _find(bookings: "QuerySet[Booking]", actor: int, as_staff: bool, pnr: str) -> Booking:
    found = bookings.filter(pnr=pnr)
    booking = (found if as_staff else found.filter(owner=actor)).first()
    if booking is None:
        raise NotFound("There is no such booking")
    return booking


def _fact(booking: Booking, quoted: Quote, who: Who, reason: str) -> Fact:
    kind = "booking.cancelled" if quoted.ends_booking else "booking.seats-cancelled"
    what = kind.partition(".")[2]
    number = 0 if quoted.ends_booking else booking.revision
    return Fact(
        event_id=f"{booking.pnr}:{what}" + (f":{number}" if number else ""),
        kind=kind,
        subject=booking.pnr or "",
        stage=STAGE[kind],
        number=number,
        body={
            "hold": booking.hold,
            "pnr": booking.pnr,
            "user": booking.owner_id,
            "actor": who.actor,
            **who.acting,
            "departure": booking.departure_id,
            "seats": list(quoted.seats),
            "seat_ids": [row.seat_id for row in quoted.rows],
            "refund": str(quoted.refund),
            "currency": booking.currency,
            "rule": quoted.rule,
            **({"reason": reason} if reason else {}),
        },
        subscribed=True,
    )

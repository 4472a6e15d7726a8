"""At the gate: check a ticket's token and mark it boarded, once.

gate A   token good, lock ticket and booking ... boarded_at set, COMMIT -> valid
gate B   token good, lock ........ waits .............................. -> already boarded
cancel   locks the booking: before, the gate sees it cancelled; after, it was boarded and stays
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import transaction

from config import clock
from config.outbox.facts import append
from reservations.errors import IllegalState
from reservations.models import Booking
from reservations.tickets.facts import ticket_fact
from reservations.tickets.models import Ticket
from reservations.tickets.tokens import TicketClaims, TokenRefused, check


class Turned(StrEnum):
    """Why a genuine token does not let its bearer in."""

    NOT_FOUND = "not-found"
    OTHER_DEPARTURE = "other-departure"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    ALREADY_BOARDED = "already-boarded"


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What the gate is told. `boarded_at` is the first time, also for a second use."""

    valid: bool
    reason: str | None = None
    claims: TicketClaims | None = None
    boarded_at: datetime | None = None


def board(*, token: str, actor: int, departure: int | None = None) -> Checked:
    """Let the bearer in if the ticket is good and was not used; `departure`: at whose door."""
    try:
        claims = check(token)
    except TokenRefused as refused:
        return Checked(valid=False, reason=refused.reason)
    if departure is not None and departure != claims.departure:
        return Checked(valid=False, reason=Turned.OTHER_DEPARTURE, claims=claims)
    with transaction.atomic():
        ticket = (
            Ticket.objects.select_for_update(of=("self", "booking"))
            .select_related("booking")
            .filter(number=claims.number, booking__pnr=claims.pnr)
            .first()
        )
        turned = _turned(ticket, claims)
        if ticket is None or turned is not None:
            at = ticket.boarded_at if ticket else None
            return Checked(valid=False, reason=turned, claims=claims, boarded_at=at)

        # From here the bearer is in.
        ticket.boarded_at, ticket.boarded_by_id = clock.now(), actor
        ticket.save(update_fields=["boarded_at", "boarded_by"])
        append(ticket_fact(ticket, "boarded", actor=actor))
    return Checked(valid=True, claims=claims, boarded_at=ticket.boarded_at)


def boarded_already(booking: Booking) -> IllegalState | None:
    """Who is on board gives no seat back: the booking's lock, which both take, decides between."""
    if Ticket.objects.filter(booking=booking, boarded_at__isnull=False).exists():
        return IllegalState("Somebody has boarded with this ticket.", "boarded")
    return None


def _turned(ticket: Ticket | None, claims: TicketClaims) -> Turned | None:
    if ticket is None:
        return Turned.NOT_FOUND
    if ticket.booking.status != Booking.Status.CONFIRMED:
        return Turned.CANCELLED
    if ticket.booking.revision != claims.serial:
        return Turned.SUPERSEDED
    return Turned.ALREADY_BOARDED if ticket.boarded_at is not None else None

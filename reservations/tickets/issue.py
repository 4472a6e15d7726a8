"""A confirmed booking gets its ticket and the ticket its mail, once, whoever comes first.

The outbox consumer issues within a second or two; a traveller who looks sooner is faster. Both
insert, and the unique booking lets one of them.
"""

import secrets
from collections.abc import Sequence
from typing import Final

from django.db import transaction

from config import clock
from config.outbox.facts import append
from config.outbox.models import OutboxEvent
from reservations.models import Booking
from reservations.tickets.facts import ticket_fact
from reservations.tickets.models import Ticket, TicketMail

DIGITS: Final = 13


def ticket_of(booking: Booking) -> Ticket:
    """The ticket of a booking, issued now if it has none."""
    found = Ticket.objects.filter(booking=booking).first()
    return found or issue([booking])[0]


def issue(bookings: Sequence[Booking]) -> list[Ticket]:
    """Issue what is missing; the tickets of these bookings."""
    with transaction.atomic():
        Ticket.objects.bulk_create(
            [Ticket(booking=booking, number=_new_number()) for booking in bookings],
            ignore_conflicts=True,
        )
        tickets = list(Ticket.objects.filter(booking__in=bookings))
        append(*(ticket_fact(ticket, "issued") for ticket in tickets))
    return tickets


def issue_confirmed(events: Sequence[OutboxEvent]) -> None:
    """Consumer of `booking.confirmed`: issue, and put the mail on its way."""
    event_of = {event.subject: event.event_id for event in events}
    if not event_of:
        return
    bookings = list(Booking.objects.filter(pnr__in=event_of))
    with transaction.atomic():
        issue(bookings)
        TicketMail.objects.bulk_create(
            [TicketMail(event_id=event_of[each.pnr or ""], booking=each) for each in bookings],
            ignore_conflicts=True,
        )


def reissue_changed(events: Sequence[OutboxEvent]) -> None:
    """Consumer of changes of a booking's seats: the ticket is another, and goes by mail again.

    The token of the one before is void since the change itself: it names an older revision.
    """
    if not events:
        return
    bookings = Booking.objects.in_bulk([event.subject for event in events], field_name="pnr")
    with transaction.atomic():
        tickets = {ticket.booking_id: ticket for ticket in issue(list(bookings.values()))}
        TicketMail.objects.bulk_create(
            [TicketMail(event_id=e.event_id, booking=bookings[e.subject]) for e in events],
            ignore_conflicts=True,
        )
        append(
            *(
                ticket_fact(tickets[bookings[event.subject].pk], "reissued", number=event.number)
                for event in events
            )
        )


def void_cancelled(events: Sequence[OutboxEvent]) -> None:
    """Consumer of `booking.cancelled`: say in the trail that the ticket is void since."""
    pnrs = [event.subject for event in events]
    if not pnrs:
        return
    with transaction.atomic():
        tickets = Ticket.objects.select_for_update().filter(
            booking__pnr__in=pnrs, booking__status=Booking.Status.CANCELLED, voided_at=None
        )
        found = list(tickets)
        Ticket.objects.filter(pk__in=[each.pk for each in found]).update(voided_at=clock.now())
        append(*(ticket_fact(ticket, "voided") for ticket in found))


def _new_number() -> str:
    """Random digits: one in use already is a once-in-ages event, and then the next try issues."""
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"

"""Send what mail waits, with backoff.

    claim a row (FOR UPDATE SKIP LOCKED) -> send -> mark it sent, COMMIT

Two workers never send one mail at the same time, and each mail is sent once, but for one case: a
crash between the server's "accepted" and our COMMIT sends it again. The second has the same
Message-ID, so that mail programs show one. A mail that was never sent would be worse.
"""

import logging
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction

from config import clock
from reservations.models import Booking
from reservations.tickets.calendar_file import calendar_file
from reservations.tickets.models import TicketMail
from reservations.tickets.page import TicketView, view_ticket
from reservations.tickets.pdf import ticket_pdf

logger = logging.getLogger(__name__)
FIRST_WAIT: Final = timedelta(seconds=30)
ATTEMPTS_MAX: Final = 10  # the last wait is four hours: some eight and a half in all


def send_waiting(limit: int = 50) -> int:
    """Send what is due, oldest first; how many were sent."""
    sent = 0
    for _ in range(limit):
        outcome = _send_next()
        if outcome is None:
            break
        sent += outcome
    return sent


def _send_next() -> bool | None:
    """Whether the next mail that is due was sent; None if none is."""
    with transaction.atomic():
        mail = (
            TicketMail.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("booking__owner")
            .filter(sent_at=None, given_up_at=None, next_at__lte=clock.now())
            .order_by("next_at")
            .first()
        )
        if mail is None:
            return None
        try:
            with transaction.atomic():
                _send(mail)
        except Exception as error:  # noqa: BLE001  # whatever a mail server may raise: again later
            _put_off(mail, error)
            return False
        mail.sent_at = clock.now()
        mail.save(update_fields=["sent_at"])
        return True


def _send(mail: TicketMail) -> None:
    """Nothing is sent for a booking cancelled since, or to an account without an address."""
    booking, owner = mail.booking, mail.booking.owner
    if booking.status != Booking.Status.CONFIRMED or owner is None or not owner.email:
        return
    ticket = view_ticket(booking)
    message = EmailMessage(
        subject=f"Your ticket {ticket.pnr}: {ticket.source.name} - {ticket.destination.name}",
        body=_text(ticket),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[owner.email],
        headers={"Message-ID": f"<{mail.event_id.replace(':', '.')}@seatlock>"},
    )
    message.attach(f"{ticket.pnr}.pdf", ticket_pdf(ticket), "application/pdf")
    message.attach(f"{ticket.pnr}.ics", calendar_file(ticket).decode(), "text/calendar")
    message.send()


def _text(ticket: TicketView) -> str:
    leaves = ticket.source.local.strftime("%a %d %b %Y, %H:%M")
    return (
        f"{ticket.train_number} {ticket.train_name}\n"
        f"{ticket.source.name} - {ticket.destination.name}\n"
        f"Leaves {leaves} local time\n"
        f"Seats {', '.join(ticket.seats)}\n"
        f"Fare {ticket.fare} {ticket.currency}\n\n"
        "Your ticket is attached. Show its code at the gate.\n"
    )


def _put_off(mail: TicketMail, error: Exception) -> None:
    """Try again later. What the mail server said may hold an address: only its kind is logged."""
    mail.attempts += 1
    what = type(error).__name__
    logger.warning("mail %s was not sent, attempt %d: %s", mail.event_id, mail.attempts, what)
    if mail.attempts >= ATTEMPTS_MAX:
        mail.given_up_at = clock.now()
    mail.next_at = clock.now() + FIRST_WAIT * 2 ** (mail.attempts - 1)
    mail.save(update_fields=["attempts", "next_at", "given_up_at"])

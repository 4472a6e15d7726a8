"""A ticket by mail, with its PDF and calendar file."""

from config.mail import message, send_due
from reservations.models import Booking
from reservations.tickets.calendar_file import calendar_file
from reservations.tickets.models import TicketMail
from reservations.tickets.page import TicketView, view_ticket
from reservations.tickets.pdf import ticket_pdf


def send_waiting() -> int:
    """Send what is due, oldest first; how many were sent."""
    return send_due(TicketMail.objects.select_related("booking__owner"), _send)


def _send(mail: TicketMail) -> None:
    """Nothing is sent for a booking cancelled since, or to an account without an address."""
    booking, owner = mail.booking, mail.booking.owner
    if booking.status != Booking.Status.CONFIRMED or owner is None or not owner.email:
        return
    ticket = view_ticket(booking)
    told = message(
        mail,
        to=owner.email,
        subject=f"Your ticket {ticket.pnr}: {ticket.source.name} - {ticket.destination.name}",
        body=_text(ticket),
    )
    told.attach(f"{ticket.pnr}.pdf", ticket_pdf(ticket), "application/pdf")
    told.attach(f"{ticket.pnr}.ics", calendar_file(ticket).decode(), "text/calendar")
    told.send()


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

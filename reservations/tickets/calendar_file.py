"""A ticket as an iCalendar file (RFC 5545), for the traveller's own calendar."""

from icalendar import Calendar, Event

from reservations.tickets.page import TicketView, Validity


def calendar_file(ticket: TicketView) -> bytes:
    """One event from departure to arrival, in UTC; a cancelled journey says so, and importing it
    again changes the same event (`UID`, `SEQUENCE`).
    """
    is_cancelled = ticket.validity is Validity.CANCELLED
    event = Event()
    event.add("uid", f"{ticket.number}@seatlock")
    event.add("sequence", ticket.serial + (1 if is_cancelled else 0))
    event.add("dtstamp", ticket.issued_at)
    event.add("dtstart", ticket.source.at)
    event.add("dtend", ticket.destination.at)
    event.add("summary", f"{ticket.train_number} {ticket.source.name} - {ticket.destination.name}")
    event.add("location", ticket.source.name)
    event.add("description", f"PNR {ticket.pnr}, seats {', '.join(ticket.seats)}")
    event.add("status", "CANCELLED" if is_cancelled else "CONFIRMED")
    calendar = Calendar()
    calendar.add("prodid", "-//Seatlock//Tickets//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if is_cancelled else "PUBLISH")
    calendar.add_component(event)
    rendered: bytes = calendar.to_ical()
    return rendered

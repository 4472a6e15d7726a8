"""`tickets/`: parse, call one service, render."""

import msgspec
from django.http import HttpRequest, HttpResponse

from config.errors import Invalid, NotFound
from config.http.body import read_json
from reservations.api.door import answer, door, view
from reservations.models import Booking
from reservations.tickets.board import board
from reservations.tickets.bodies import KeyBody, KeysBody, VerifyBody, ticket_body, verified_body
from reservations.tickets.calendar_file import calendar_file
from reservations.tickets.keys import ticket_keys
from reservations.tickets.page import TicketView, view_ticket
from reservations.tickets.pdf import ticket_pdf
from users.tokens import Caller

_verify_body = msgspec.json.Decoder(VerifyBody)


def _ticket(caller: Caller, pnr: str) -> TicketView:
    """The ticket of my booking, or as staff of anybody's. Raises `NotFound`."""
    bookings = Booking.objects.exclude(status=Booking.Status.VOID).filter(pnr=pnr.upper())
    booking = (bookings if caller.is_staff else bookings.filter(owner=caller.user_id)).first()
    if booking is None:
        raise NotFound("There is no such ticket")
    return view_ticket(booking)


@door("read")
def _show(request: HttpRequest, caller: Caller, pnr: str) -> HttpResponse:
    del request
    return answer(ticket_body(_ticket(caller, pnr)))


@door("read")
def _pdf(request: HttpRequest, caller: Caller, pnr: str) -> HttpResponse:
    width = request.GET.get("width") or "a4"
    if width not in {"a4", "phone"}:
        raise Invalid({"width": ["One of a4, phone."]})
    ticket = _ticket(caller, pnr)
    pdf = ticket_pdf(ticket, width="phone" if width == "phone" else "a4")
    return _file(pdf, "application/pdf", f"{ticket.pnr}.pdf")


@door("read")
def _calendar(request: HttpRequest, caller: Caller, pnr: str) -> HttpResponse:
    del request
    ticket = _ticket(caller, pnr)
    return _file(calendar_file(ticket), "text/calendar; charset=utf-8", f"{ticket.pnr}.ics")


def _file(content: bytes, content_type: str, name: str) -> HttpResponse:
    """A file for its owner's eyes: no proxy or browser keeps it."""
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f'inline; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    return response


@door("read", "open")
def _keys(request: HttpRequest, caller: Caller | None) -> HttpResponse:
    del request, caller
    return answer(KeysBody(tuple(KeyBody(**key.public_jwk) for key in ticket_keys())))


@door("staff", "staff")
def _verify(request: HttpRequest, caller: Caller) -> HttpResponse:
    body = read_json(request, _verify_body)
    checked = board(token=body.token, actor=caller.user_id, departure=body.departure)
    return answer(verified_body(checked))


ticket = view(GET=_show)
pdf = view(GET=_pdf)
calendar = view(GET=_calendar)
keys = view(GET=_keys)
verify = view(POST=_verify)

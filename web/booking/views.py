"""My bookings: the list, one with its ticket, its files, and its end."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.apps import apps
from django.http import HttpRequest, HttpResponse

from config import clock
from config.errors import NotFound
from reservations.availability.plans import plan_of
from reservations.bookings.views import BookingView, view_bookings
from reservations.models import Booking
from web.page import page, show
from web.visitor import Visitor

PER_PAGE = 20


@dataclass(frozen=True)
class Journey:
    """A booking with times as the stations' clocks show them."""

    view: BookingView
    departs: datetime
    arrives: datetime

    @property
    def is_ahead(self) -> bool:
        return self.view.status == Booking.Status.CONFIRMED and self.arrives > clock.now()

    @property
    def has_left(self) -> bool:
        return self.departs <= clock.now()

    @property
    def minutes(self) -> int:
        return int((self.arrives - self.departs).total_seconds()) // 60


def view_of(booking: Booking) -> BookingView:
    return view_bookings([booking])[0]


def journey_of(booking: Booking, view: BookingView) -> Journey:
    stops = plan_of(booking.departure_id).train.stops
    boards, alights = stops[booking.from_stop], stops[booking.to_stop]
    return Journey(
        view=view,
        departs=view.source["departs_at"].astimezone(ZoneInfo(boards.timezone)),
        arrives=view.destination["arrives_at"].astimezone(ZoneInfo(alights.timezone)),
    )


def _mine(visitor: Visitor) -> Any:
    return Booking.objects.filter(owner=visitor.id).exclude(status=Booking.Status.VOID)


def find_booking(visitor: Visitor, pnr: str) -> Booking:
    """A booking of mine. Raises `NotFound`."""
    found: Booking | None = _mine(visitor).filter(pnr=pnr.upper()).first()
    if found is None:
        raise NotFound("There is no such booking")
    return found


@page(signed_in=True)
def bookings(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Upcoming journeys, soonest first, or past and cancelled ones, latest first."""
    is_past = request.GET.get("show") == "past"
    now = clock.now()
    ahead = _mine(visitor).filter(status=Booking.Status.CONFIRMED, departure__ends_at__gt=now)
    found = _mine(visitor).exclude(pk__in=ahead.values("pk")) if is_past else ahead
    order = ("-departure__starts_at", "-id") if is_past else ("departure__starts_at", "id")
    at = _page_number(request.GET.get("page", ""))
    rows = list(found.order_by(*order)[(at - 1) * PER_PAGE : at * PER_PAGE + 1])
    views = view_bookings(rows[:PER_PAGE])
    context = {
        "journeys": [journey_of(row, view) for row, view in zip(rows, views, strict=False)],
        "is_past": is_past,
        "newer": at - 1,
        "older": at + 1 if len(rows) > PER_PAGE else 0,
    }
    return show(request, "web/bookings.html", context)


def _page_number(text: str) -> int:
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 5 else 1


@page(signed_in=True)
def booking(request: HttpRequest, visitor: Visitor, pnr: str) -> HttpResponse:
    """One booking: its ticket, if tickets are installed."""
    found = find_booking(visitor, pnr)
    view = view_of(found)
    context = {"journey": journey_of(found, view), "people": people_of(found, view)}
    return show(request, "web/booking.html", {**context, **_ticket(found)})


def people_of(found: Booking, view: BookingView) -> list[dict[str, Any]]:
    """Its seats, each with its class, its position and who sits there."""
    train = plan_of(found.departure_id).train
    return [
        {
            "seat": seat,
            "travel_class": train.travel_class_of(train.ordinal_of[seat]),
            "position": train.positions[train.ordinal_of[seat]],
            "passenger": passenger or {},
        }
        for seat, passenger in zip(view.seats, view.passengers, strict=True)
    ]


def _ticket(found: Booking) -> dict[str, Any]:
    if not apps.is_installed("reservations.tickets"):
        return {}
    from reservations.tickets.page import view_ticket  # the app may be left out
    from reservations.tickets.qr import qr_data_url

    ticket = view_ticket(found)
    return {"ticket": ticket, "qr": qr_data_url(ticket.token)}


@page(signed_in=True)
def ticket_file(request: HttpRequest, visitor: Visitor, pnr: str, ending: str) -> HttpResponse:
    """The ticket as a PDF (A4, or `?width=phone`), or as a calendar file."""
    if not apps.is_installed("reservations.tickets"):
        raise NotFound("There is no such ticket")
    from reservations.tickets.calendar_file import calendar_file
    from reservations.tickets.page import view_ticket
    from reservations.tickets.pdf import ticket_pdf

    ticket = view_ticket(find_booking(visitor, pnr))
    if ending == "ics":
        content, kind = calendar_file(ticket), "text/calendar; charset=utf-8"
    else:
        width = "phone" if request.GET.get("width") == "phone" else "a4"
        content = ticket_pdf(ticket, width=width)  # type: ignore[arg-type]  # one of the two
        kind = "application/pdf"
    answer = HttpResponse(content, content_type=kind)
    answer["Content-Disposition"] = f'inline; filename="{ticket.pnr}.{ending}"'
    return answer

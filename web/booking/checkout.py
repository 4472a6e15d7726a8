"""From a hold to a booking: who travels, then payment or, where there is none, the booking."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from config.errors import Invalid, SeatlockError
from reservations.availability.plans import plan_of
from reservations.errors import HoldExpired, LimitReached
from reservations.holds import ids
from reservations.models import Booking
from reservations.services.confirm_booking import confirm_booking
from reservations.services.extend_hold import extend_hold
from reservations.services.hold_view import HoldView
from reservations.services.list_holds import find_hold
from reservations.services.release_hold import release_hold
from web.booking import paying
from web.booking.passengers import GENDERS, Row, age_of, empty_rows, read_rows, travellers_of
from web.hold_bar import bar_of
from web.page import go, page, safe_next, show
from web.told import Told, tell
from web.visitor import Visitor


@page(scope="confirm", signed_in=True, methods=("GET", "POST"))
def checkout(request: HttpRequest, visitor: Visitor, hold: str) -> HttpResponse:
    """The hold's page: passengers, price, time left; its button books or goes on to payment."""
    booked = _booked(visitor, hold)
    if booked is not None:
        return go(request, reverse("web:booking", args=[booked]))
    held = find_hold(user=visitor.id, hold=hold)
    if request.method != "POST":
        return _show(request, visitor, held, empty_rows(held.seats, visitor))
    rows = read_rows(held.seats, request.POST.dict(), visitor)
    if any(row.errors for row in rows):
        return _show(request, visitor, held, rows, told=tell(Invalid({})), status=400)
    try:
        return _book(request, visitor, held, rows)
    except Invalid as refused:
        return _show(request, visitor, held, rows, told=tell(refused), status=400)


def _book(request: HttpRequest, visitor: Visitor, held: HoldView, rows: list[Row]) -> HttpResponse:
    people = [row.passenger for row in rows]
    if paying.is_paid_for(held):
        return go(request, reverse("web:payment", args=[paying.begin(visitor, held.hold, people)]))
    done = confirm_booking(owner=visitor.owner, hold=held.hold, passengers=people)
    messages.success(request, _("Booked. Have a good journey!"))
    return go(request, reverse("web:booking", args=[done.booking.pnr]))


def _show(  # noqa: PLR0913  # a page and how it came to be
    request: HttpRequest,
    visitor: Visitor,
    held: HoldView,
    rows: list[Row],
    *,
    told: Told | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "hold": bar_of(plan_of(held.departure), held),
        "rows": rows,
        "genders": GENDERS,
        "travellers": [(each, age_of(each)) for each in travellers_of(visitor)],
        "pays": paying.is_paid_for(held),
        "told": told,
    }
    return show(request, "web/checkout.html", context, status=status)


def _booked(visitor: Visitor, hold: str) -> str | None:
    """The PNR, if my hold is a booking already: of a reloaded page, of a click that came twice."""
    ref = ids.read_own(hold, visitor.id)
    mine = Booking.objects.filter(hold=ref.hold, owner=visitor.id)
    return mine.exclude(status=Booking.Status.VOID).values_list("pnr", flat=True).first()


@page(scope="reserve", signed_in=True, methods=("POST",))
def extend(request: HttpRequest, visitor: Visitor, hold: str) -> HttpResponse:
    """More time, from any page; back to where the button was pressed."""
    try:
        extend_hold(user=visitor.id, sid=visitor.sid, hold=hold)
        messages.success(request, _("You have more time now."))
    except (HoldExpired, LimitReached) as refused:
        text = tell(refused).text
        if isinstance(refused, LimitReached):
            text = _("These seats cannot be held any longer. Book them now, or let them go.")
        messages.error(request, text)
    return go(request, safe_next(request, reverse("web:landing")))


@page(scope="reserve", signed_in=True, methods=("POST",))
def release(request: HttpRequest, visitor: Visitor, hold: str) -> HttpResponse:
    """Let the seats go; to the same train's seats, if the button was on the hold's own page."""
    try:
        release_hold(user=visitor.id, sid=visitor.sid, hold=hold)
        messages.success(request, _("The seats are free again."))
    except SeatlockError as refused:
        messages.error(request, tell(refused).text)
    departure = ids.read_own(hold, visitor.id).departure
    seats = reverse("web:seats", args=[departure])
    back = safe_next(request, seats)
    return go(request, seats if hold in back else back)


@page(signed_in=True)
def payment(request: HttpRequest, visitor: Visitor, payment: UUID) -> HttpResponse:
    """Where a payment stands: go and pay, wait a moment, or to the ticket."""
    seen = paying.see(visitor, payment)
    if seen.pnr:
        return go(request, reverse("web:booking", args=[seen.pnr]))
    if seen.is_kept and seen.entry:
        messages.success(request, _("Paid. You are booked as soon as seats come free."))
        return go(request, reverse("web:entry", args=[seen.entry]))
    if request.headers.get("HX-Request"):
        return render(request, "web/parts/payment.html", {"payment": seen})
    return show(request, "web/payment.html", {"payment": seen})

"""Give a booking back, or some of its seats: what comes back is shown before the click."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from config.errors import SeatlockError
from reservations.models import Booking
from reservations.services.cancel_booking import cancel_booking, quote_cancellation
from web.booking.views import find_booking, journey_of, people_of, view_of
from web.page import go, page, show
from web.told import tell
from web.visitor import Visitor


@page(scope="write", signed_in=True, methods=("GET", "POST"))
def cancel(request: HttpRequest, visitor: Visitor, pnr: str) -> HttpResponse:
    """Ticked seats and what they give back; the button on that page cancels.

    The button sends along what was shown. Hours go by: if by now it is another amount, that one
    is shown first.
    """
    found = find_booking(visitor, pnr)
    address = reverse("web:booking", args=[found.pnr])
    if request.method != "POST":
        if found.status != Booking.Status.CONFIRMED:
            return go(request, address)
        is_choice, seats = "of" in request.GET, request.GET.getlist("seat")
        return _show(request, visitor, found, seats, is_choice=is_choice)
    seats = request.POST.getlist("seat")
    try:
        if "shown" in request.POST and request.POST["shown"] != _now(visitor, found, seats):
            return _show(request, visitor, found, seats, has_changed=True, status=409)
        done = cancel_booking(
            actor=visitor.id, as_staff=False, pnr=found.pnr or "", seats=seats or None
        )
    except SeatlockError as refused:
        messages.error(request, tell(refused).text)
    else:
        messages.success(
            request,
            _("The booking is cancelled.") if done.ends_booking else _("The seats are given back."),
        )
    return go(request, address)


def _now(visitor: Visitor, found: Booking, seats: list[str]) -> str:
    quoted = quote_cancellation(
        actor=visitor.id, as_staff=False, pnr=found.pnr or "", seats=seats or None
    )
    return str(quoted.refund)


def _show(  # noqa: PLR0913  # a page and how it came to be
    request: HttpRequest,
    visitor: Visitor,
    found: Booking,
    seats: list[str],
    *,
    is_choice: bool = False,
    has_changed: bool = False,
    status: int = 200,
) -> HttpResponse:
    view = view_of(found)
    mine = [seat for seat in seats if seat in view.seats]
    chosen = mine if is_choice or mine else list(view.seats)
    context: dict[str, Any] = {
        "journey": journey_of(found, view),
        "people": people_of(found, view),
        "chosen": chosen,
        "has_changed": has_changed,
    }
    if chosen:
        try:
            context["quote"] = quote_cancellation(
                actor=visitor.id, as_staff=False, pnr=found.pnr or "", seats=chosen
            )
        except SeatlockError as refused:
            messages.error(request, tell(refused).text)
            return go(request, reverse("web:booking", args=[found.pnr]))
    return show(request, "web/cancel.html", context, status=status)

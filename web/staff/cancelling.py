"""Staff give seats of a booking back: by the rules, or as much as they say, and always why.
Or they cancel a departure, and with it every booking on it.
"""

from decimal import Decimal, InvalidOperation

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from config.errors import Invalid
from reservations.services.cancel_booking import Override, cancel_booking
from reservations.services.cancel_departure import cancel_departure
from web.page import go
from web.staff.door import board, require
from web.staff.reasons import asked_reason
from web.staff.rights import Right
from web.staff.showing import booking_address, departure_address
from web.visitor import Visitor


@board(Right.CANCEL_BOOKINGS, methods=("POST",))
def cancel(request: HttpRequest, visitor: Visitor, pnr: str) -> HttpResponse:
    """Ticked seats, or all; another amount than the rules give needs a right of its own. Raises
    what `cancel_booking` does.
    """
    reason, refund = asked_reason(request), _amount(request.POST.get("refund", "").strip())
    if refund is not None:
        require(visitor, Right.SET_REFUNDS)
    done = cancel_booking(
        actor=visitor.id,
        as_staff=True,
        pnr=pnr,
        seats=request.POST.getlist("seat") or None,
        override=Override(reason=reason, refund=refund),
    )
    messages.success(
        request,
        _("%(seats)s: given back. %(refund)s %(currency)s are returned.")
        % {"seats": ", ".join(done.seats), "refund": done.refund, "currency": done.currency},
    )
    return go(request, booking_address(pnr))


@board(Right.CANCEL_DEPARTURES, methods=("POST",))
def cancel_run(request: HttpRequest, visitor: Visitor, departure: int) -> HttpResponse:
    """Close a departure for good; workers give every booking back in full. Not to be undone, so
    it is asked for twice. Raises `Invalid`, `NotFound`.
    """
    reason = asked_reason(request)
    if request.POST.get("sure") != "1":
        raise Invalid({"sure": [_("Tick that you are sure.")]})
    cancel_departure(departure=departure, actor=visitor.id, reason=reason)
    messages.success(request, _("The departure is cancelled. Its bookings are given back now."))
    return go(request, departure_address(departure))


def _amount(text: str) -> Decimal | None:
    """What is to go back; None: what the rules give. Raises `Invalid`."""
    if not text:
        return None
    try:
        amount = Decimal(text[:20])
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount != amount.quantize(Decimal("0.01")):
        raise Invalid({"refund": [_("An amount like 120.50.")]})
    return amount

"""Payments, refunds that need a hand, and what a gateway and we see differently.

The only module of the board that knows payments, which may be left out of an installation.
"""

from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from config.errors import Invalid
from reservations.payments.models import Difference, Payment, Refund
from reservations.payments.services.differences import settle_difference
from reservations.payments.services.send_refunds import retry_refund
from reservations.payments.states import PaymentState, RefundState
from web.page import go
from web.staff.door import board
from web.staff.reasons import asked_reason
from web.staff.rights import Right
from web.staff.showing import asked_number, booking_address, show_board, zone
from web.staff.tables import Column, Link, Table
from web.visitor import Visitor

PER_PAGE: Final = 50
PAGES_MOST: Final = 10_000


@board(Right.SEE_PAYMENTS)
def payments(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """The latest payments (`?status=`), open differences, refunds that failed."""
    del visitor
    state = request.GET.get("status", "")
    if state and state not in set(PaymentState):
        raise Invalid({"status": [_("There is no such state.")]})
    number = asked_number(request, "page", default=1, most=PAGES_MOST)
    found = Payment.objects.select_related("booking", "owner").order_by("-created_at", "-id")
    if state:
        found = found.filter(state=state)
    start = (number - 1) * PER_PAGE
    page = list(found[start : start + PER_PAGE])
    open_ones = list(Difference.objects.filter(settled_at=None).order_by("-found_at")[:PER_PAGE])
    failed = list(
        Refund.objects.filter(state=RefundState.FAILED).select_related("payment")[:PER_PAGE]
    )
    return show_board(
        request,
        "web/staff/payments.html",
        at="payments",
        tables=[_payments(page), _differences(open_ones)],
        differences=open_ones,
        failed=failed,
        states=list(PaymentState),
        state=state,
        newer=number - 1 if number > 1 else None,
        older=number + 1 if start + PER_PAGE < found.count() else None,
    )


@board(Right.SETTLE_PAYMENTS, methods=("POST",))
def settle(request: HttpRequest, visitor: Visitor, difference: int) -> HttpResponse:
    """Say why a difference is right. Raises what `settle_difference` raises."""
    settle_difference(difference=difference, actor=visitor.user, note=asked_reason(request))
    messages.success(request, _("The difference is settled."))
    return go(request, reverse("web:staff:payments"))


@board(Right.SETTLE_PAYMENTS, methods=("POST",))
def retry(request: HttpRequest, visitor: Visitor, refund: UUID) -> HttpResponse:
    """Send a refund once more. Raises what `retry_refund` raises."""
    retry_refund(refund=str(refund), actor=visitor.id, reason=asked_reason(request))
    messages.success(request, _("The refund is sent again."))
    return go(request, reverse("web:staff:payments"))


def _payments(page: list[Payment]) -> Table:
    return Table(
        key="payments",
        title=_("Payments"),
        columns=[
            Column(_("Payment"), "code"),
            Column(_("State")),
            Column(_("Became")),
            Column(_("User")),
            Column(_("PNR"), "code"),
            Column(_("Gateway")),
            Column(_("Reference"), "code"),
            Column(_("Amount"), "money"),
            Column(_("Captured"), "money"),
            Column(_("Begun at"), "moment"),
            Column(_("Reason")),
        ],
        rows=[
            (
                str(each.pk),
                each.state,
                each.outcome,
                each.owner.username,
                Link(each.booking.pnr or "", booking_address(each.booking.pnr or ""))
                if each.booking
                else None,
                each.provider,
                each.reference,
                each.amount,
                each.captured_amount,
                each.created_at,
                each.reason,
            )
            for each in page
        ],
        empty=_("Nobody has paid yet."),
        zone=zone(),
    )


def _differences(found: list[Difference]) -> Table:
    return Table(
        key="differences",
        title=_("Differences"),
        columns=[
            Column(_("Number"), "number"),
            Column(_("Gateway")),
            Column(_("Kind")),
            Column(_("Payment"), "code"),
            Column(_("We say")),
            Column(_("They say")),
            Column(_("Found at"), "moment"),
        ],
        rows=[
            (
                each.pk,
                each.provider,
                each.kind,
                str(each.payment_id or ""),
                _said(each.ours),
                _said(each.theirs),
                each.found_at,
            )
            for each in found
        ],
        empty=_("The gateways and we say the same."),
        zone=zone(),
    )


def _said(what: dict[str, str]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in sorted(what.items()))

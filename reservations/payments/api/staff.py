"""`operations/payments/` and `operations/refunds/`: staff look at money, and settle differences."""

from uuid import UUID

import msgspec
from django.http import HttpRequest, HttpResponse

from config.errors import Invalid
from config.http.body import read_json
from reservations.api.door import answer, door, page, paged, view
from reservations.payments.api.bodies import (
    NoteBody,
    ReasonBody,
    difference_body,
    refund_body,
    staff_payment,
)
from reservations.payments.models import Difference, Payment
from reservations.payments.services.differences import settle_difference
from reservations.payments.services.send_refunds import retry_refund
from reservations.payments.states import PaymentState
from users.models import User
from users.tokens import Caller

_note = msgspec.json.Decoder(NoteBody)
_reason = msgspec.json.Decoder(ReasonBody)


@door("staff", "staff")
def _payments(request: HttpRequest, caller: Caller) -> HttpResponse:
    del caller
    limit, offset = page(request)
    found = Payment.objects.select_related("booking").prefetch_related("refunds")
    state = request.GET.get("status")
    if state:
        if state not in set(PaymentState):
            raise Invalid({"status": [f"One of {', '.join(PaymentState)}."]})
        found = found.filter(state=state)
    for name, field in (("provider", "provider"), ("hold", "hold"), ("pnr", "booking__pnr")):
        if text := request.GET.get(name):
            found = found.filter(**{field: text})
    rows = found.order_by("-created_at", "-id")
    results = [staff_payment(each) for each in rows[offset : offset + limit]]
    return paged(request, results, found.count())


@door("staff", "staff")
def _differences(request: HttpRequest, caller: Caller) -> HttpResponse:
    del caller
    limit, offset = page(request)
    found = Difference.objects.order_by("-found_at", "-id")
    settled = request.GET.get("settled") or "false"
    if settled not in {"true", "false"}:
        raise Invalid({"settled": ["true or false."]})
    if settled == "false":
        found = found.filter(settled_at=None)
    results = [difference_body(each) for each in found[offset : offset + limit]]
    return paged(request, results, found.count())


@door("staff", "staff")
def _settle(request: HttpRequest, caller: Caller, difference: int) -> HttpResponse:
    body = read_json(request, _note)
    actor = User.objects.get(pk=caller.user_id)
    settled = settle_difference(difference=difference, actor=actor, note=body.note)
    return answer(difference_body(settled))


@door("staff", "staff")
def _retry(request: HttpRequest, caller: Caller, refund: UUID) -> HttpResponse:
    body = read_json(request, _reason)
    done = retry_refund(refund=str(refund), actor=caller.user_id, reason=body.reason)
    return answer(refund_body(done, done.payment))


payments = view(GET=_payments)
differences = view(GET=_differences)
settle = view(POST=_settle)
retry = view(POST=_retry)

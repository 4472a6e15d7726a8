"""`payments/`: start one, look at mine, and the webhooks of gateways."""

from dataclasses import asdict
from uuid import UUID

import msgspec
from django.http import HttpRequest, HttpResponse

from config.errors import Invalid, NotFound
from config.http.body import read_json
from config.idempotency.services import Answer, find, keep
from config.idempotency.views import response_of
from reservations.api.door import answer, door, to_json, view
from reservations.api.holds import request_key
from reservations.payments.api.bodies import StartBody, payment_body
from reservations.payments.models import Payment
from reservations.payments.services.purposes import starter_of
from reservations.payments.services.receive_webhook import receive_webhook
from reservations.payments.services.start_payment import start_payment
from reservations.payments.states import Purpose
from reservations.services.hold_seats import Owner
from users.tokens import Caller

_start_body = msgspec.json.Decoder(StartBody)


@door("reserve", key_scope="pay")
def _start(request: HttpRequest, caller: Caller) -> HttpResponse:
    """The gateway must not be asked inside a transaction: its webhook may come before the answer,
    and must find the payment's row. So the key is kept after the effect, not with it; what makes
    one effect of two requests is that a hold has one open payment.
    """
    body = read_json(request, _start_body)
    key = request_key(request)
    if key and (kept := find(user_id=caller.user_id, **asdict(key))):
        return response_of(kept)
    payment = _begun(Owner.of(caller), body)
    made = Answer(201, to_json(payment_body(payment)))
    if key:
        keep(made, user_id=caller.user_id, **asdict(key))
    return answer(made.body, made.status)


def _begun(owner: Owner, body: StartBody) -> Payment:
    if bool(body.hold) == bool(body.entry):
        raise Invalid({"hold": ["Name a hold, or an entry of the waitlist."]})
    if body.entry:
        start = starter_of(Purpose.WAITLIST, field="entry")
        return start(owner=owner, name=body.entry, provider=body.provider, method=body.method)
    return start_payment(
        owner=owner,
        hold=body.hold,
        provider=body.provider,
        method=body.method,
        allow_other_seats=body.allow_other_seats,
        passengers=body.passengers,
    )


@door("read")
def _show(request: HttpRequest, caller: Caller, payment: UUID) -> HttpResponse:
    del request
    found = (
        Payment.objects.select_related("booking").filter(pk=payment, owner=caller.user_id).first()
    )
    if found is None:
        raise NotFound("There is no such payment")
    return answer(payment_body(found))


@door("webhook", "open")
def _webhook(request: HttpRequest, caller: Caller | None, provider: str) -> HttpResponse:
    del caller
    receive_webhook(provider=provider, body=request.body, headers=request.headers)
    return answer({"received": True})


payments = view(POST=_start)
payment = view(GET=_show)
webhook = view(POST=_webhook)

"""Steps of a payment, as a traveller, the sandbox's page and its postman take them."""

from collections.abc import Mapping
from typing import Any

import msgspec
from django.test import Client

from config import clock
from reservations.payments import sandbox, tasks
from reservations.payments.gateways.sandbox import SIGNATURE, sign
from reservations.payments.models import Payment, SandboxOrder
from reservations.payments.services.send_refunds import send_refunds
from tests.engine import Traveller
from trains.models import Departure


def lock(traveller: Traveller, departure: Departure, *seats: str) -> dict[str, Any]:
    wish = {"departure": departure.id, "source": "AAA", "destination": "CCC", "seats": list(seats)}
    answer = traveller.post("reservations/lock/", wish)
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


def start(traveller: Traveller, hold: str, **more: Any) -> Payment:
    answer = traveller.post("payments/", {"hold": hold, "provider": "sandbox", **more})
    assert answer.status_code == 201, answer.content
    return Payment.objects.get(pk=answer.json()["payment"])


def order_of(payment: Payment) -> SandboxOrder:
    return SandboxOrder.objects.get(payment=str(payment.pk))


def press_pay(payment: Payment) -> list[str]:
    """Pay on the sandbox's page; the webhook bodies it will send, none of them sent."""
    return [body for body, _ in tasks.notices(sandbox.pay(payment.reference))]


def send(body: str | bytes, **headers: str) -> Any:
    """Bring a webhook body to the door, signed as the sandbox signs."""
    raw = body.encode() if isinstance(body, str) else body
    signed: Mapping[str, str] = {SIGNATURE: sign(raw, int(clock.now().timestamp()))}
    return Client().post(
        "/api/v1/payments/webhooks/sandbox/",
        raw,
        content_type="application/json",
        headers={**signed, **headers},
    )


def pay(payment: Payment) -> Payment:
    """Pay, and bring every notice."""
    for body in press_pay(payment):
        assert send(body).status_code == 200
    payment.refresh_from_db()
    return payment


def changed(body: str, **fields: Any) -> str:
    """A notice with other words in it."""
    return msgspec.json.encode({**msgspec.json.decode(body), **fields}).decode()


def refunds_go_out() -> None:
    while send_refunds().asked:
        pass

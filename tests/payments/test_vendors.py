"""Stripe and Razorpay through their own SDKs, unpatched, against stand-ins that speak their HTTP.

Signatures are made here by the vendors' written algorithms and checked by the SDKs' verify calls.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import pytest
import stripe
from django.conf import settings
from django.test import Client

from config import clock
from reservations.payments.gateways import razorpay_gateway, stripe_gateway
from reservations.payments.gateways.registry import gateway
from reservations.payments.models import Payment
from reservations.payments.services.ask_gateways import ask_gateways, compare_day
from tests.engine import Traveller
from tests.payments.paying import lock, refunds_go_out, start
from tests.payments.vendors import RazorpayStandIn, StripeStandIn, serving
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)

Time = Callable[[float], AbstractContextManager[None]]


@dataclass
class Vendor:
    """A vendor under test: its books, and how it signs."""

    name: str
    books: Any

    def headers(self, body: bytes, *, at: float | None = None, secret: str = "whsec") -> Any:
        at = int(at or time.time())
        if self.name == "stripe":
            mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
            return {"Stripe-Signature": f"t={at},v1={mac.hexdigest()}"}
        mac = hmac.new(secret.encode(), body, hashlib.sha256)
        return {
            "X-Razorpay-Signature": mac.hexdigest(),
            "X-Razorpay-Event-Id": hashlib.sha256(body).hexdigest()[:14],
        }

    def send(self, event: Any, **how: Any) -> Any:
        body = json.dumps(event).encode()
        return Client().post(
            f"/api/v1/payments/webhooks/{self.name}/",
            body,
            content_type="application/json",
            headers=self.headers(body, **how),
        )


@pytest.fixture(params=["stripe", "razorpay"])
def vendor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendor]:
    books = StripeStandIn() if request.param == "stripe" else RazorpayStandIn()
    with serving(books) as url:
        env = settings.ENV.model_copy(
            update={
                "payment_providers": ["sandbox", "stripe", "razorpay"],
                "stripe_secret_key": "sk_test_standin",
                "stripe_webhook_secret": "whsec",
                "stripe_base_url": url,
                "razorpay_key_id": "rzp_test",
                "razorpay_key_secret": "rzp_secret",
                "razorpay_webhook_secret": "whsec",
                "razorpay_base_url": url,
                "gateway_timeout_seconds": 5.0,
            }
        )
        monkeypatch.setattr(settings, "ENV", env)
        for module in (stripe_gateway, razorpay_gateway):
            module._client.cache_clear()
        yield Vendor(request.param, books)
        for module in (stripe_gateway, razorpay_gateway):
            module._client.cache_clear()


def begun(vendor: Vendor, traveller: Traveller, departure: Departure) -> Payment:
    return start(traveller, lock(traveller, departure, "S1-1")["hold"], provider=vendor.name)


def test_a_payment_goes_the_whole_way(
    vendor: Vendor, anna: Traveller, departure: Departure
) -> None:
    payment = begun(vendor, anna, departure)
    assert payment.next_step["type"] == vendor.name
    made = vendor.books.things[payment.reference]
    assert made["amount"] == int(payment.amount * 100), "in the smallest unit"
    event = vendor.books.succeed(payment.reference)
    assert [vendor.send(event).status_code for _ in range(2)] == [200, 200]
    payment.refresh_from_db()
    assert (payment.state, payment.outcome) == ("captured", "booked")
    assert payment.captured_amount == payment.amount
    assert compare_day(clock.now().date()) == 0


def test_the_same_payment_is_made_once_over_there(
    vendor: Vendor, anna: Traveller, departure: Departure
) -> None:
    payment = begun(vendor, anna, departure)
    Payment.objects.update(reference="", next_step={})
    assert start(anna, payment.hold, provider=vendor.name).reference == payment.reference
    assert len(vendor.books.things) == 1


def test_a_wrong_signature_is_refused(
    vendor: Vendor, anna: Traveller, departure: Departure
) -> None:
    payment = begun(vendor, anna, departure)
    event = vendor.books.succeed(payment.reference)
    assert vendor.send(event, secret="other").status_code == 400
    old = {**event, "created_at": int(time.time()) - 90_000}
    assert vendor.send(old, at=time.time() - 301).status_code == 400
    bare = Client().post(
        f"/api/v1/payments/webhooks/{vendor.name}/", b"{}", content_type="application/json"
    )
    assert bare.status_code == 400
    payment.refresh_from_db()
    assert payment.state == "created"


@pytest.mark.parametrize("event", [{}, {"event": "payment.captured"}, {"id": "evt", "type": "x"}])
def test_a_signed_body_that_is_no_event_is_refused_or_let_be(
    vendor: Vendor, event: dict[str, Any]
) -> None:
    assert vendor.send(event).status_code in {200, 400}
    assert not Payment.objects.exists()


def test_money_that_cannot_be_booked_goes_back_over_there(
    vendor: Vendor, anna: Traveller, bela: Traveller, departure: Departure, time_passes: Time
) -> None:
    payment = begun(vendor, anna, departure)
    event = vendor.books.succeed(payment.reference)
    with time_passes(700):
        lock(bela, departure, "S1-1")
        assert vendor.send(event).status_code == 200
        vendor.books.down = 3  # the SDKs may try again by themselves
        refunds_go_out()
        assert payment.refunds.get().state == "due"
        vendor.books.down = 0
        with time_passes(730):
            refunds_go_out()
    payment.refresh_from_db()
    assert (payment.state, payment.outcome) == ("refunded", "returned")
    given = vendor.books.of_kind("re" if vendor.name == "stripe" else "rfnd")
    assert [each["amount"] for each in given] == [int(payment.amount * 100)]


def test_a_vendor_that_is_away_at_start_is_503(
    vendor: Vendor, anna: Traveller, departure: Departure
) -> None:
    hold = lock(anna, departure, "S1-1")["hold"]
    vendor.books.down = 5
    answer = anna.post("payments/", {"hold": hold, "provider": vendor.name})
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    vendor.books.down = 0
    assert start(anna, hold, provider=vendor.name).reference


def test_a_lost_webhook_is_found_by_asking(
    vendor: Vendor, anna: Traveller, departure: Departure, time_passes: Time
) -> None:
    payment = begun(vendor, anna, departure)
    vendor.books.succeed(payment.reference)
    with time_passes(601):
        assert ask_gateways().captured == 1
    payment.refresh_from_db()
    assert payment.outcome == "booked"


def test_a_reference_the_vendor_does_not_know_is_refused(vendor: Vendor) -> None:
    from reservations.payments.gateways.port import GatewayRefused, Report

    asked = gateway(vendor.name)
    if vendor.name == "razorpay":  # it answers with no payments
        assert asked.ask("order_none") == Report(state="created")
        return
    with pytest.raises(GatewayRefused):
        asked.ask("pi_none")


def test_stripes_events_have_only_fields_its_sdk_knows(
    anna: Traveller, departure: Departure
) -> None:
    """The stand-in speaks Stripe: each object it makes has the fields of the SDK's type."""
    books = StripeStandIn()
    intent = books._handle(
        "POST", "payment_intents", {"amount": "1", "currency": "inr", "metadata[payment]": "p"}
    )
    assert intent is not None
    event = books.succeed(intent["id"])
    refund = books._handle(
        "POST",
        "refunds",
        {"payment_intent": intent["id"], "amount": "1", "metadata[refund]": "r"},
    )
    assert refund is not None
    for thing, kind in (
        (intent, stripe.PaymentIntent),
        (event, stripe.Event),
        (refund, stripe.Refund),
        (books._charge(intent), stripe.Charge),
    ):
        assert set(thing) <= set(kind.__annotations__), kind
    built = stripe.Event.construct_from(event, "key")
    assert isinstance(built.data.object, stripe.PaymentIntent)

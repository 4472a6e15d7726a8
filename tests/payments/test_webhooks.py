"""Webhooks that are forged, old, broken, doubled, early or late change nothing they should not."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client

from config import clock
from reservations.models import Booking
from reservations.payments import sandbox
from reservations.payments.gateways.port import GatewayAway, Order, Started
from reservations.payments.gateways.sandbox import SIGNATURE, SandboxGateway, sign
from reservations.payments.models import Difference, GatewayMessage, Payment
from tests.engine import Traveller
from tests.payments.paying import changed, lock, press_pay, refunds_go_out, send, start
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)

Time = Callable[[float], AbstractContextManager[None]]


@pytest.fixture
def paid(anna: Traveller, departure: Departure) -> Payment:
    return start(anna, lock(anna, departure, "S1-1")["hold"])


def unmoved(payment: Payment) -> bool:
    payment.refresh_from_db()
    return payment.state == "created" and not GatewayMessage.objects.exists()


def test_a_forged_webhook_changes_nothing(paid: Payment) -> None:
    (body,) = press_pay(paid)
    for signature in ("", "t=1,v1=00", f"t={int(clock.now().timestamp())},v1=00", "t=x", "☃"):
        answer = send(body, **{SIGNATURE: signature.encode("utf-8").decode("latin-1")})
        assert answer.status_code == 400
        assert answer.json()["code"] == "invalid"
    assert unmoved(paid)


def test_a_body_that_was_touched_after_signing_changes_nothing(paid: Payment) -> None:
    (body,) = press_pay(paid)
    signature = sign(body.encode(), int(clock.now().timestamp()))
    for touched in (body[:-2], changed(body, amount="1.00"), body + " "):
        assert send(touched, **{SIGNATURE: signature}).status_code == 400
    assert unmoved(paid)


def test_a_webhook_signed_too_long_ago_changes_nothing(paid: Payment) -> None:
    (body,) = press_pay(paid)
    old = sign(body.encode(), int(clock.now().timestamp()) - 301)
    assert send(body, **{SIGNATURE: old}).status_code == 400
    assert unmoved(paid)


@pytest.mark.parametrize("body", ["", "{}", "[]", "not json", '{"id": 1}', '{"kind": "captured"}'])
def test_a_signed_body_that_is_no_event_is_refused(paid: Payment, body: str) -> None:
    assert send(body).status_code == 400
    assert unmoved(paid)


def test_a_webhook_of_an_unknown_gateway_is_not_found() -> None:
    assert Client().post("/api/v1/payments/webhooks/paypal/").status_code == 404


def test_the_same_event_twice_counts_once(paid: Payment) -> None:
    (body,) = press_pay(paid)
    assert [send(body).status_code for _ in range(3)] == [200, 200, 200]
    assert GatewayMessage.objects.count() == 1
    assert Booking.objects.filter(status="confirmed").count() == 1


def test_the_same_capture_in_two_events_counts_once(paid: Payment) -> None:
    (body,) = press_pay(paid)
    for event in ("evt_1", "evt_2"):
        assert send(changed(body, id=event)).status_code == 200
    assert GatewayMessage.objects.count() == 2
    assert Booking.objects.filter(status="confirmed").count() == 1


def test_a_failed_after_the_captured_does_not_undo_it(
    anna: Traveller, departure: Departure
) -> None:
    payment = start(anna, lock(anna, departure, "S1-1")["hold"], method="out-of-order")
    for body in press_pay(payment):
        assert send(body).status_code == 200
    payment.refresh_from_db()
    assert (payment.state, payment.outcome) == ("captured", "booked")


def test_a_captured_after_the_failed_counts(anna: Traveller, departure: Departure) -> None:
    payment = start(anna, lock(anna, departure, "S1-1")["hold"], method="out-of-order")
    for body in reversed(press_pay(payment)):
        assert send(body).status_code == 200
    payment.refresh_from_db()
    assert (payment.state, payment.outcome) == ("captured", "booked")


def test_a_webhook_may_come_before_the_gateways_own_answer(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = SandboxGateway.create

    def create_and_tell(self: SandboxGateway, order: Order) -> Started:
        started = honest(self, order)

        def postman() -> None:
            payment = Payment(pk=order.payment, reference=started.reference)
            assert [send(body).status_code for body in press_pay(payment)] == [200]
            connection.close()

        early = threading.Thread(target=postman)
        early.start()
        early.join()
        return started

    monkeypatch.setattr(SandboxGateway, "create", create_and_tell)
    payment = start(anna, lock(anna, departure, "S1-1")["hold"])
    assert (payment.state, payment.outcome) == ("captured", "booked")
    assert payment.reference, "the answer that came later is written too"


def test_a_payment_we_do_not_know_is_listed_for_staff(paid: Payment) -> None:
    (body,) = press_pay(paid)
    stranger = changed(body, payment="2a1c7c2e-0000-4000-8000-000000000000", reference="sbx_other")
    nonsense = changed(body, id="evt_2", payment="not-a-uuid", reference="sbx_other2")
    assert [send(stranger).status_code, send(nonsense).status_code] == [200, 200]
    assert {d.kind for d in Difference.objects.all()} == {"payment-not-ours"}
    assert Difference.objects.count() == 2
    paid.refresh_from_db()
    assert paid.state == "created"


def test_a_gateway_that_is_down_at_start_is_503_and_asked_again_with_the_same_key(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = lock(anna, departure, "S1-1")["hold"]
    wish = {"hold": hold, "provider": "sandbox", "method": "down"}
    answer = anna.post("payments/", wish)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer["Retry-After"]
    monkeypatch.setattr(sandbox, "BEHAVIOURS", frozenset({"card"}))
    again = anna.post("payments/", wish)
    assert again.status_code == 201
    assert Payment.objects.count() == 1


def test_a_gateway_that_is_down_at_refund_is_asked_until_it_answers(
    anna: Traveller, departure: Departure, time_passes: Time
) -> None:
    payment = start(anna, lock(anna, departure, "S1-1")["hold"], method="refund-down")
    (body,) = press_pay(payment)
    assert send(changed(body, currency="USD")).status_code == 200
    waits = [0, 11, 31, 71]
    states = []
    for seconds in waits:
        with time_passes(seconds):
            refunds_go_out()
            states.append(payment.refunds.get().state)
    assert states == ["due", "due", "done", "done"]
    assert sandbox.find_order(payment.reference).refunds.count() == 1


def test_a_refund_the_gateway_refuses_is_for_staff(
    anna: Traveller, controller: Traveller, departure: Departure
) -> None:
    payment = start(anna, lock(anna, departure, "S1-1")["hold"], method="refund-refused")
    (body,) = press_pay(payment)
    assert send(changed(body, currency="USD")).status_code == 200
    refunds_go_out()
    refund = payment.refunds.get()
    assert (refund.state, refund.trouble) == ("failed", "told-to-refuse")
    order = sandbox.find_order(payment.reference)
    order.behaviour = "card"
    order.save()
    path = f"operations/refunds/{refund.pk}/retry/"
    assert anna.post(path, {"reason": "please"}).status_code == 403
    assert controller.post(path, {"reason": "the account is open"}).status_code == 200
    refunds_go_out()
    refund.refresh_from_db()
    assert refund.state == "done"
    assert controller.post(path, {"reason": "once more"}).json()["code"] == "illegal-state"


def test_a_lost_reply_to_a_refund_gives_money_back_once(
    anna: Traveller, departure: Departure, time_passes: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = start(anna, lock(anna, departure, "S1-1")["hold"])
    (body,) = press_pay(payment)
    assert send(changed(body, currency="USD")).status_code == 200
    honest = sandbox.give_back

    def reply_lost(reference: str, key: str, amount: Decimal) -> None:
        honest(reference, key, amount)
        raise GatewayAway("the reply was lost")

    with monkeypatch.context() as lossy:
        lossy.setattr(sandbox, "give_back", reply_lost)
        refunds_go_out()
    with time_passes(11):
        refunds_go_out()
    assert payment.refunds.get().state == "done"
    assert sandbox.find_order(payment.reference).refunds.count() == 1

"""Agents and money: who began a payment is named in the booking it becomes; staff need none."""

import json
from typing import Any

import pytest
from pytest_django import Settings

from config.outbox.consumers import consume_pending
from config.outbox.models import OutboxEvent
from reservations.models import Booking
from reservations.payments.models import Payment
from reservations.webhooks import endpoints
from reservations.webhooks.models import Message
from tests.agents.conftest import CONTACT, Machine, MakeMachine
from tests.engine import Traveller
from tests.payments.paying import pay, refunds_go_out
from users.customers import HEADER
from users.services.claim_guests import ask_to_claim, claim_guests, code_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def must_pay(settings: Settings) -> None:
    settings.ENV = settings.ENV.model_copy(update={"require_payment": "on"})


def start(machine: Machine, wish: dict[str, Any], **headers: str) -> Payment:
    hold = machine.post("reservations/lock/", wish, **headers).json()["hold"]
    body = {"hold": hold, "provider": "sandbox"}
    answer = machine.post("payments/", body, **headers)
    assert answer.status_code == 201, answer.content
    return Payment.objects.get(pk=answer.json()["payment"])


def test_a_booking_that_a_payment_became_names_the_agent(
    machine: Machine, acme: Traveller, controller: Traveller, customer: str, wish: dict[str, Any]
) -> None:
    """The money comes by the gateway's word, when no agent is there; the partner hears of it."""
    endpoint = endpoints.register_endpoint(
        actor=controller.user.pk,
        account="acme",
        url="https://hooks.example.com/",
        events=("booking.confirmed", "booking.refunded"),
        description="",
    )
    payment = pay(start(machine, wish, **{HEADER: customer}))
    booking = Booking.objects.get(hold=payment.hold)
    who = {"actor": acme.user.pk, "key": machine.prefix}
    for kind in ("payment.created", "booking.confirmed"):
        body = OutboxEvent.objects.get(kind=kind).body
        assert {name: body.get(name) for name in (*who, "user")} == {
            **who,
            "user": booking.owner_id,
        }
    while consume_pending():
        pass
    (told,) = Message.objects.filter(endpoint=endpoint)
    assert json.loads(told.payload)["data"]["customer"] == customer


def test_a_key_needs_the_scope_to_pay(
    acme: Traveller, machine: Machine, machine_of: MakeMachine, wish: dict[str, Any]
) -> None:
    hold = machine.post("reservations/lock/", wish).json()["hold"]
    narrow = machine_of(acme, "read", "reserve", "confirm")
    answer = narrow.post("payments/", {"hold": hold, "provider": "sandbox"})
    assert (answer.status_code, answer.json()["scope"]) == (403, "pay")


@pytest.mark.usefixtures("must_pay")
def test_where_payment_is_required_machines_pay_and_staff_need_not(
    machine: Machine, controller: Traveller, customer: str, wish: dict[str, Any]
) -> None:
    hold = machine.post("reservations/lock/", wish, **{HEADER: customer}).json()["hold"]
    unpaid = machine.post("reservations/confirm/", {"hold": hold}, **{HEADER: customer})
    assert (unpaid.status_code, unpaid.json()["code"]) == (402, "payment-required")
    assert machine.post("reservations/groups/", wish).status_code == 403

    office = {HEADER: controller.post("agents/customers/", CONTACT).json()["customer"]}
    hold = controller.post("reservations/lock/", wish, **office).json()["hold"]
    assert controller.post("reservations/confirm/", {"hold": hold}, **office).status_code == 201
    assert controller.post("reservations/groups/", wish, **office).status_code == 201


def test_a_claim_takes_the_payments_that_are_decided(
    machine: Machine, anna: Traveller, customer: str, wish: dict[str, Any]
) -> None:
    """One that is under way stays with its hold, is booked, and is claimed next time."""
    paid = pay(start(machine, wish, **{HEADER: customer}))
    begun = start(machine, wish, **{HEADER: customer})

    def claim() -> tuple[str, ...]:
        asked = ask_to_claim(account=anna.user.pk, email=CONTACT["email"])
        return claim_guests(account=anna.user.pk, code=code_of(asked)).pnrs

    (first,) = claim()
    assert anna.get(f"payments/{paid.pk}/").status_code == 200
    assert anna.get(f"payments/{begun.pk}/").status_code == 404
    pay(begun)
    begun.refresh_from_db()
    assert begun.outcome == "booked"
    (second,) = claim()
    assert first != second
    assert anna.get(f"payments/{begun.pk}/").status_code == 200
    refunds_go_out()
    assert Booking.objects.filter(owner=anna.user).count() == 2

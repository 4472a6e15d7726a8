"""Agents act for customers: the customer owns, the agent is named in the facts, nobody else may."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from config.outbox.models import OutboxEvent
from config.stores import keys
from config.stores.redis import holds_store
from reservations.models import Booking
from tests.agents.conftest import CONTACT, Machine, MakeMachine
from tests.engine import Traveller, forged
from tests.front.state import everything
from users import customers
from users.customers import HEADER
from users.models import User

pytestmark = pytest.mark.django_db


def hold_facts(departure: int) -> list[dict[str, Any]]:
    """The bodies of this departure's hold facts, in order."""
    entries: Any = holds_store().xrange(keys.audit(keys.shard(departure)))
    return [json.loads(fields[b"body"]) for _, fields in entries]


def test_a_machine_locks_and_confirms_for_a_customer(
    machine: Machine, acme: Traveller, customer: str, wish: dict[str, Any]
) -> None:
    as_customer = {HEADER: customer}
    held = machine.post("reservations/lock/", wish, **as_customer)
    assert held.status_code == 201, held.content
    hold = held.json()["hold"]
    assert machine.get("reservations/holds/").json()["count"] == 0
    assert machine.get("reservations/holds/", **as_customer).json()["count"] == 1
    assert machine.post(f"reservations/holds/{hold}/extend/", **as_customer).status_code == 200
    booked = machine.post("reservations/confirm/", {"hold": hold}, **as_customer)
    assert booked.status_code == 201, booked.content
    pnr = booked.json()["pnr"]

    booking = Booking.objects.get(pnr=pnr)
    assert booking.owner is not None
    assert (booking.owner.email, booking.owner.is_guest) == (CONTACT["email"], True)
    who = {"actor": acme.user.pk, "key": machine.prefix}
    for fact in hold_facts(wish["departure"]):
        assert {name: fact.get(name) for name in who} == who, fact
    confirmed = OutboxEvent.objects.get(kind="booking.confirmed").body
    assert {name: confirmed[name] for name in (*who, "user")} == {**who, "user": booking.owner_id}

    assert machine.get(f"reservations/bookings/{pnr}/").status_code == 404
    assert machine.get(f"reservations/bookings/{pnr}/", **as_customer).status_code == 200
    assert machine.get(f"tickets/{pnr}/", **as_customer).status_code == 200
    done = machine.post(f"reservations/bookings/{pnr}/cancel/", **as_customer)
    assert done.status_code == 200, done.content
    cancelled = OutboxEvent.objects.get(kind="booking.cancelled").body
    assert {name: cancelled[name] for name in who} == who


def test_a_released_hold_names_who_released_it(
    machine: Machine, acme: Traveller, customer: str, wish: dict[str, Any]
) -> None:
    as_customer = {HEADER: customer}
    hold = machine.post("reservations/lock/", wish, **as_customer).json()["hold"]
    assert machine.delete(f"reservations/holds/{hold}/", **as_customer).status_code == 204
    released = hold_facts(wish["departure"])[-1]
    assert (released["by"], released["actor"]) == ("owner", acme.user.pk)


def test_staff_act_for_each_others_customers_with_the_customers_rights_alone(
    controller: Traveller,
    make_traveller: Callable[..., Traveller],
    bela: Traveller,
    wish: dict[str, Any],
) -> None:
    made = controller.post("agents/customers/", CONTACT)
    assert made.status_code == 201, made.content
    as_customer = {HEADER: made.json()["customer"]}
    colleague = make_traveller("colleague", is_staff=True)
    held = colleague.post("reservations/lock/", wish, **as_customer).json()
    booked = colleague.post("reservations/confirm/", {"hold": held["hold"]}, **as_customer)
    assert booked.status_code == 201, booked.content
    body = OutboxEvent.objects.get(kind="booking.confirmed").body
    assert body["actor"] == colleague.user.pk
    assert "key" not in body

    hers = bela.post("reservations/lock/", wish).json()
    theirs = bela.post("reservations/confirm/", {"hold": hers["hold"]}).json()["pnr"]
    cancel = f"reservations/bookings/{theirs}/cancel/"
    assert colleague.post(cancel, **as_customer).status_code == 404  # not that customer's
    assert colleague.post(cancel).status_code == 200  # staff's right


def test_another_agents_customer_is_nobody(  # noqa: PLR0917  # fixtures
    machine: Machine,
    machine_of: MakeMachine,
    customer: str,
    controller: Traveller,
    anna: Traveller,
    bela: Traveller,
    wish: dict[str, Any],
) -> None:
    """Also to staff, who have ids of their own; and travellers have no customers."""
    staffs = controller.post("agents/customers/", CONTACT).json()["customer"]
    rival = machine_of(bela)
    for each in (machine, rival):
        each.get("reservations/holds/")  # notes that its key is in use
    before = everything()
    refused = {
        "a rival agent": rival.post("reservations/lock/", wish, **{HEADER: customer}),
        "staff": controller.post("reservations/lock/", wish, **{HEADER: customer}),
        "a traveller": anna.post("reservations/lock/", wish, **{HEADER: customer}),
        "a traveller, staff's": anna.post("reservations/lock/", wish, **{HEADER: staffs}),
        "a machine, staff's": machine.post("reservations/lock/", wish, **{HEADER: staffs}),
    }
    for made_up in ("x", "cus_", forged(customer), customer.upper(), "cus_" + "A" * 32, "cus_é"):
        refused[made_up] = machine.post("reservations/lock/", wish, **{HEADER: made_up})
    assert everything() == before
    assert {name: answer.status_code for name, answer in refused.items()} == dict.fromkeys(
        refused, 404
    )
    assert len({answer.content for answer in refused.values()}) == 1


def test_without_the_agent_in_the_id_customers_are_everybodys(
    machine_of: MakeMachine,
    customer: str,
    bela: Traveller,
    wish: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rival = machine_of(bela)
    assert rival.post("reservations/lock/", wish, **{HEADER: customer}).status_code == 404
    monkeypatch.setattr(customers, "_office", lambda _: 1)
    read = customers._read
    monkeypatch.setattr(customers, "_read", lambda text: (1, read(text)[1]))
    assert rival.post("reservations/lock/", wish, **{HEADER: customer}).status_code == 201


def test_a_key_that_lost_the_scope_acts_for_nobody(
    acme: Traveller, machine_of: MakeMachine, customer: str, wish: dict[str, Any]
) -> None:
    narrow = machine_of(acme, "read", "reserve")
    answer = narrow.post("reservations/lock/", wish, **{HEADER: customer})
    assert (answer.status_code, answer.json()["scope"]) == (403, "customers")


def test_travellers_make_no_customers(anna: Traveller) -> None:
    before = everything()
    assert anna.post("agents/customers/", CONTACT).status_code == 403
    assert Client().post("/api/v1/agents/customers/", CONTACT).status_code == 401
    assert everything() == before


def test_a_customer_is_made_once_a_key(machine: Machine) -> None:
    key = {"Idempotency-Key": "order-7"}
    first = machine.post("agents/customers/", CONTACT, **key)
    again = machine.post("agents/customers/", CONTACT, **key)
    assert first.json() == again.json()
    assert again["Idempotency-Replayed"] == "true"
    assert User.objects.filter(is_guest=True).count() == 1


def test_customers_cannot_log_in_and_several_share_an_email(
    machine: Machine, anna: Traveller
) -> None:
    """Also with the e-mail of an account, which stays that account's name to log in by."""
    contact = {**CONTACT, "email": "Anna@Example.org"}
    for _ in range(2):
        assert machine.post("agents/customers/", contact).status_code == 201
    assert User.objects.filter(email__iexact=anna.user.email).count() == 3
    anna.user.set_password("a-fine-Pass-9931")
    anna.user.save()
    said = {"username": "anna@example.org", "password": "a-fine-Pass-9931"}
    logged_in = Client().post("/api/v1/auth/login/", said, content_type="application/json")
    assert logged_in.json()["user"]["id"] == anna.user.pk
    guest = User.objects.filter(is_guest=True).first()
    assert guest is not None
    said = {"username": guest.username, "password": "a-fine-Pass-9931"}
    refused = Client().post("/api/v1/auth/login/", said, content_type="application/json")
    assert refused.status_code == 401

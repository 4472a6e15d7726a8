# ruff: noqa: F811  # fixtures of the agents are imported and asked for by name
"""Agents wait for customers, and say so; an account takes over the places its mailbox proves."""

import json
from typing import Any

import pytest

from config.outbox.models import OutboxEvent
from reservations.bookings.insert import NewBooking, Verdict, insert_booking
from reservations.holds import store
from reservations.models import Booking
from reservations.waitlist.models import Entry
from reservations.waitlist.services import make_offer
from reservations.webhooks import endpoints
from reservations.webhooks.models import Message
from tests.agents.conftest import (  # noqa: F401
    CONTACT,
    Machine,
    _nothing_remembered,
    acme,
    customer,
    machine,
    machine_of,
)
from tests.engine import Traveller
from tests.invariants import assert_invariants
from tests.waitlist.conftest import cancel, committed, lock, seen, state, wish, work
from trains.models import Departure
from users.customers import HEADER
from users.services.claim_guests import ask_to_claim, claim_guests, code_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def customers_entry(
    run: Departure,
    sold: list[str],
    machine: Machine,
    customer: str,
) -> str:
    """A partner's customer waits for one berth."""
    asked = wish(run, travel_class="SL", count=1)
    joined = machine.post("reservations/waitlist/", asked, **{HEADER: customer})
    assert joined.status_code == 201, joined.content
    return str(joined.json()["entry"])


@pytest.fixture
def hears(controller: Traveller, acme: Traveller, settings: Any) -> None:
    """The partner has an endpoint for what becomes of waitlists and bookings."""
    settings.ENV = settings.ENV.model_copy(update={"webhook_private_targets": "on"})
    endpoints.register_endpoint(
        actor=controller.user.pk,
        account="acme",
        url="http://127.0.0.1:9/",
        events=("waitlist.served", "booking.confirmed"),
        description="",
    )


def told() -> list[dict[str, Any]]:
    return [json.loads(each.payload)["data"] for each in Message.objects.order_by("pk")]


def claim(who: Traveller) -> None:
    """The mailbox proves itself, and what waits changes hands."""
    made = ask_to_claim(account=who.user.pk, email=CONTACT["email"])
    with committed():
        claim_guests(account=who.user.pk, code=code_of(made))


def test_facts_hold_and_webhook_name_the_key_and_the_customer(  # noqa: PLR0917  # fixtures
    run: Departure,
    sold: list[str],
    hears: None,
    customers_entry: str,
    machine: Machine,
    acme: Traveller,
    customer: str,
    controller: Traveller,
) -> None:
    cancel(controller, sold[0])
    work()
    work()
    who = {"actor": acme.user.pk, "key": machine.prefix}
    facts = OutboxEvent.objects.filter(subject=f"waitlist:{customers_entry}")
    assert {fact.kind for fact in facts} == {"waitlist.joined", "waitlist.offered"}
    assert all({name: fact.body[name] for name in who} == who for fact in facts)
    (data,) = told()
    assert (data["status"], data["customer"], data["entry"]) == (
        "offered", customer, customers_entry
    )  # fmt: skip
    shown = machine.get(f"reservations/waitlist/{customers_entry}/", **{HEADER: customer}).json()
    booked = machine.post(
        "reservations/confirm/", {"hold": shown["offer"]["hold"]}, **{HEADER: customer}
    )
    assert booked.status_code == 201
    work()
    assert {each["customer"] for each in told()} == {customer}
    assert len(told()) == 3


def test_who_joins_by_a_lock_is_named_as_well(
    run: Departure,
    sold: list[str],
    machine: Machine,
    customer: str,
) -> None:
    asked = wish(run, travel_class="SL", count=1, on_full="waitlist")
    joined = machine.post("reservations/lock/", asked, **{HEADER: customer})
    assert joined.status_code == 202, joined.content
    assert Entry.objects.get().acting["key"] == machine.prefix


@pytest.mark.parametrize("was", ["waiting", "offered"])
def test_a_claim_takes_over_the_places(  # noqa: PLR0917  # fixtures
    run: Departure,
    sold: list[str],
    hears: None,
    customers_entry: str,
    customer: str,
    machine: Machine,
    anna: Traveller,
    controller: Traveller,
    was: str,
) -> None:
    """An offer's hold names its owner: it ends, and the same seats are offered anew."""
    if was == "offered":
        cancel(controller, sold[0])
        work()
    before = Entry.objects.get(key=customers_entry)
    assert before.state == was
    claim(anna)
    gone = machine.get(f"reservations/waitlist/{customers_entry}/", **{HEADER: customer})
    assert gone.status_code == 404
    if was == "waiting":
        cancel(controller, sold[0])
        work()
    shown = seen(anna, customers_entry)
    assert shown["status"] == "offered"
    assert shown["offer"]["hold"] != before.hold
    assert anna.post("reservations/confirm/", {"hold": shown["offer"]["hold"]}).status_code == 201
    work()
    assert state(customers_entry) == "confirmed"
    assert Booking.objects.get(owner=anna.user).status == "confirmed"
    assert {each.get("customer") for each in told() if "entry" in each} == {customer}
    assert_invariants(run.pk)


def test_nobody_overtakes_while_a_place_changes_hands(  # noqa: PLR0917  # fixtures
    run: Departure,
    sold: list[str],
    customers_entry: str,
    anna: Traveller,
    bela: Traveller,
    controller: Traveller,
) -> None:
    cancel(controller, sold[0])
    work()
    real, rival = make_offer.give_up_hold, []

    def released(hold: str) -> Any:
        done = real(hold)
        rival.append(lock(bela, run, seats=["S1-1"]).status_code)
        return done

    with pytest.MonkeyPatch.context() as crossing:
        crossing.setattr("reservations.waitlist.services.move_entries.give_up_hold", released)
        claim(anna)
    assert rival == [409]
    assert seen(anna, customers_entry)["status"] == "offered"


def test_a_confirm_that_was_faster_than_the_claim_is_the_accounts_booking(  # noqa: PLR0917
    run: Departure,
    sold: list[str],
    customers_entry: str,
    customer: str,
    machine: Machine,
    anna: Traveller,
    controller: Traveller,
) -> None:
    """Booked, and the entry not told yet, when the claim comes."""
    cancel(controller, sold[0])
    work()
    offer = Entry.objects.get(key=customers_entry)
    assert offer.hold is not None
    confirmed = machine.post("reservations/confirm/", {"hold": offer.hold}, **{HEADER: customer})
    assert confirmed.status_code == 201
    assert state(customers_entry) == "offered"
    claim(anna)
    assert state(customers_entry) == "confirmed"
    assert Booking.objects.get(hold=offer.hold).owner_id == anna.user.pk
    assert store.holds_of(anna.user.pk) == []


def test_a_confirm_that_stalled_over_the_claim_books_nothing(  # noqa: PLR0917  # fixtures
    run: Departure,
    sold: list[str],
    customers_entry: str,
    customer: str,
    machine: Machine,
    anna: Traveller,
    controller: Traveller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Pinned for the guest; before it writes, the place is the account's."""
    from reservations.services import confirm_booking

    cancel(controller, sold[0])
    work()
    hold = Entry.objects.get(key=customers_entry).hold

    def late(new: NewBooking) -> Verdict:
        monkeypatch.setattr(confirm_booking, "write_booking", insert_booking)
        claim(anna)
        return insert_booking(new)

    monkeypatch.setattr(confirm_booking, "write_booking", late)
    refused = machine.post("reservations/confirm/", {"hold": hold}, **{HEADER: customer})
    assert refused.status_code == 410
    work()
    assert seen(anna, customers_entry)["status"] == "offered"
    assert not Booking.objects.filter(hold=hold).exclude(status="void").exists()
    assert_invariants(run.pk)

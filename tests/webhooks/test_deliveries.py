"""Partners are told, at least once and with one id, whatever they answer and whoever dies."""

import json
import os
import subprocess
import sys
import time
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings
from standardwebhooks import Webhook, WebhookVerificationError

from config import clock
from config.embedded.places import CHECKOUT
from config.outbox.facts import Fact, append
from config.outbox.models import OutboxEvent
from config.stores import keys
from config.stores.redis import holds_store
from reservations.models import Booking
from reservations.webhooks import deliver
from reservations.webhooks.bodies import EventType
from reservations.webhooks.deliver import WAITS, deliver_due
from reservations.webhooks.events import EVENTS, TYPES
from reservations.webhooks.models import Attempt, Endpoint, Message
from reservations.webhooks.write_down import write_down
from tests.agents.conftest import CONTACT, Machine
from tests.engine import Traveller
from tests.web import test_database_url as database_url
from tests.webhooks.conftest import Book, MakeReceiver, Register, consume
from tests.webhooks.receiver import Receiver
from trains.models import Departure
from users.customers import HEADER
from users.services.claim_guests import ask_to_claim, claim_guests, code_of

pytestmark = pytest.mark.django_db


def told(partner: Receiver) -> list[str]:
    return [json.loads(got.body)["type"] for got in partner.got]


def test_a_booking_is_told_signed_and_once(
    anna: Traveller, acme: Traveller, partner: Receiver, register: Register, book: Book
) -> None:
    """Checked by the specification's own library. Others' bookings are not told."""
    endpoint = register(partner.url, "acme")
    book(anna)
    pnr = book(acme)
    assert deliver_due() == 1
    assert deliver_due() == 0
    (got,) = partner.got
    payload = got.verified(endpoint.secret)
    assert payload == json.loads(got.body)
    assert (payload["type"], payload["data"]["pnr"]) == ("booking.confirmed", pnr)
    assert set(payload) == {"type", "timestamp", "data"}
    assert payload["timestamp"].endswith("Z")
    assert got.headers["content-type"] == "application/json"
    assert got.name.startswith("msg_")
    assert "." not in got.name
    assert abs(int(got.headers["webhook-timestamp"]) - time.time()) < 60
    assert "acme" not in got.body.decode()  # no name, no address
    message = Message.objects.get(endpoint=endpoint)
    assert (message.state, message.attempts) == ("delivered", 1)
    assert Attempt.objects.get().status == 200


def test_a_forged_body_is_found_out(
    acme: Traveller, partner: Receiver, register: Register, book: Book
) -> None:
    endpoint = register(partner.url)
    book(acme)
    deliver_due()
    (got,) = partner.got
    for body, headers in (
        (got.body.replace(b"confirmed", b"cancelled"), got.headers),
        (got.body, {**got.headers, "webhook-id": "msg_other"}),
        (got.body, {**got.headers, "webhook-timestamp": str(int(time.time()) - 301)}),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(endpoint.secret).verify(body, headers)


def test_who_booked_for_a_customer_hears_what_others_do_with_it(  # noqa: PLR0917  # fixtures
    machine: Machine,
    customer: str,
    controller: Traveller,
    partner: Receiver,
    register: Register,
    book: Book,
) -> None:
    """Staff cancel; the partner knows its customer by the id it uses itself."""
    register(partner.url, "acme")
    pnr = book(machine, **{HEADER: customer})
    assert controller.post(f"reservations/bookings/{pnr}/cancel/").status_code == 200
    consume()
    deliver_due()
    data = [json.loads(got.body)["data"] for got in partner.got]
    assert sorted(told(partner)) == ["booking.cancelled", "booking.confirmed"]
    assert [each["pnr"] for each in data] == [pnr, pnr]
    assert [each["customer"] for each in data] == [customer, customer]


def test_an_account_that_claimed_a_booking_is_not_made_the_partners_customer(  # noqa: PLR0917
    machine: Machine,
    customer: str,
    anna: Traveller,
    partner: Receiver,
    register: Register,
    book: Book,
) -> None:
    """The partner hears what becomes of it, under the id it has; an id for the account would be a
    way into it.
    """
    register(partner.url, "acme", ("booking.cancelled",))
    pnr = book(machine, **{HEADER: customer})
    claim = ask_to_claim(account=anna.user.pk, email=CONTACT["email"])
    assert claim_guests(account=anna.user.pk, code=code_of(claim)).pnrs == (pnr,)
    assert anna.post(f"reservations/bookings/{pnr}/cancel/").status_code == 200
    consume()
    deliver_due()
    assert [json.loads(got.body)["data"]["customer"] for got in partner.got] == [customer]


def test_every_row_of_the_table_reaches_a_partner(  # fixtures
    acme: Traveller,
    partner: Receiver,
    register: Register,
    book: Book,
    departure: Departure,
) -> None:
    """Also facts that nobody in the house subscribes to, such as refunds."""
    register(partner.url, "acme")
    for number, kind in enumerate(EVENTS):
        body = {"user": acme.user.pk, "hold": "", "amount": "10.00", "entry": "7", "secret": "s"}
        body["departure"] = departure.pk
        if kind.startswith("booking."):
            continue  # made by a booking, below
        append(Fact(event_id=f"f{number}", kind=kind, subject="x", stage=1, body=body))
        assert OutboxEvent.objects.get(event_id=f"f{number}").consumed_at is None
    pnr = book(acme)
    assert acme.post(f"reservations/bookings/{pnr}/change/").status_code == 200
    hold = Booking.objects.get(pnr=pnr).hold
    told_of = {"user": acme.user.pk, "hold": hold, "pnr": pnr, "seat_ids": []}
    append(
        Fact(
            event_id=f"{pnr}:reseated:9",
            kind="booking.reseated",
            subject=pnr,
            stage=4,
            number=9,
            body={**told_of, "departure": departure.pk},
            subscribed=True,
        )
    )
    seats = acme.get(f"reservations/bookings/{pnr}/").json()["seats"]
    acme.post(f"reservations/bookings/{pnr}/cancel/", {"seats": seats[:1]})
    acme.post(f"reservations/bookings/{pnr}/cancel/")
    consume()
    deliver_due()
    assert sorted(set(told(partner))) == sorted(TYPES)
    assert len(partner.got) == len(EVENTS)
    assert not [got for got in partner.got if b"secret" in got.body]


def test_the_description_lists_the_types_of_the_table() -> None:
    assert EventType.__args__ == TYPES  # type: ignore[attr-defined]


def test_only_what_was_asked_for_is_told(
    acme: Traveller, make_receiver: MakeReceiver, register: Register, book: Book
) -> None:
    every, cancelled, house = make_receiver(), make_receiver(), make_receiver()
    register(every.url, "acme")
    register(cancelled.url, "acme", ("booking.cancelled",))
    register(house.url)  # a system of the house: everybody's
    acme.post(f"reservations/bookings/{book(acme)}/cancel/")
    consume()
    deliver_due()
    assert sorted(told(every)) == sorted(told(house)) == ["booking.cancelled", "booking.confirmed"]
    assert told(cancelled) == ["booking.cancelled"]


def test_a_fact_that_comes_twice_is_one_message(
    acme: Traveller, partner: Receiver, register: Register, book: Book
) -> None:
    register(partner.url)
    book(acme)
    first = Message.objects.get().name
    write_down(list(OutboxEvent.objects.all()))
    assert Message.objects.get().name == first


@pytest.mark.parametrize("answer", [500, 404, 301, 302, 307, "break", "nonsense", "hang", "drip"])
def test_what_is_no_success_is_tried_again_with_the_same_id(  # noqa: PLR0917  # fixtures
    answer: int | str,
    acme: Traveller,
    partner: Receiver,
    make_receiver: MakeReceiver,
    register: Register,
    book: Book,
    settings: Settings,
) -> None:
    """Redirects are not followed, and a receiver that drips is cut off as one that hangs."""
    elsewhere = make_receiver()
    partner.headers = {"Location": elsewhere.url}
    partner.answers = [answer, 200]
    endpoint = register(partner.url)
    book(acme)
    if isinstance(answer, str):
        settings.ENV = settings.ENV.model_copy(update={"webhook_timeout_seconds": 0.4})
    began = time.monotonic()
    assert deliver_due() == 1
    assert time.monotonic() - began < 5
    assert not elsewhere.got
    failed = Attempt.objects.get()
    assert (failed.status, bool(failed.error)) == (
        (answer, False) if isinstance(answer, int) else (None, True)
    )
    assert deliver_due() == 0  # not before its time
    settings.ENV = settings.ENV.model_copy(update={"webhook_timeout_seconds": 5.0})
    with clock.moved(WAITS[0] * 1.2):
        assert deliver_due() == 1
    first, second = partner.got
    assert (first.name, first.body) == (second.name, second.body)
    assert int(second.headers["webhook-timestamp"]) > int(first.headers["webhook-timestamp"])
    assert second.headers["webhook-signature"] != first.headers["webhook-signature"]
    endpoint.refresh_from_db()
    assert (endpoint.failing_since, endpoint.failures) == (None, 0)


def test_both_secrets_sign_for_a_day(
    acme: Traveller, controller: Traveller, partner: Receiver, register: Register, book: Book
) -> None:
    old = register(partner.url).secret
    endpoint = Endpoint.objects.get()
    new = controller.post(f"operations/webhooks/{endpoint.pk}/secret/").json()["secret"]
    assert new != old
    book(acme)
    deliver_due()
    (got,) = partner.got
    assert got.verified(old) == got.verified(new)
    book(acme)
    with clock.moved(timedelta(hours=25)):
        deliver_due()
    assert len(partner.got[1].headers["webhook-signature"].split()) == 1


KILLED = """
import os, signal
import django
django.setup()
from django.conf import settings
from reservations.webhooks import deliver

settings.ENV.webhook_private_targets = "on"
deliver.record = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
deliver.deliver_due()
"""


@pytest.mark.django_db(transaction=True)
def test_a_process_killed_between_send_and_record_has_its_message_sent_again(
    acme: Traveller, partner: Receiver, register: Register, book: Book
) -> None:
    register(partner.url)
    book(acme)
    done = subprocess.run(
        [sys.executable, "-c", KILLED],
        cwd=CHECKOUT,
        env={
            **os.environ,
            "DATABASE_URL": database_url(),
            "DJANGO_SETTINGS_MODULE": "config.settings",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == -9, done.stderr[-2000:]
    assert len(partner.got) == 1
    message = Message.objects.get()
    assert (message.state, message.attempts, Attempt.objects.count()) == ("waiting", 1, 0)
    assert deliver_due() == 0  # the dead process's lease and claim stand a while
    with clock.moved(timedelta(seconds=60)):
        holds_store().delete(keys.WEBHOOKS_LEASE)
        assert deliver_due() == 1
    first, second = partner.got
    assert (first.name, first.body) == (second.name, second.body)
    assert Message.objects.get().state == "delivered"


def test_two_workers_do_not_send_one_message_twice(
    acme: Traveller,
    partner: Receiver,
    register: Register,
    book: Book,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second comes while the first sends, and finds nothing due: the claim, not the lease."""
    register(partner.url)
    book(acme)
    real = deliver._send

    def another_worker_first(tries: Any) -> None:
        holds_store().delete(keys.WEBHOOKS_LEASE)
        monkeypatch.setattr(deliver, "_send", real)
        assert deliver_due() == 0
        real(tries)

    monkeypatch.setattr(deliver, "_send", another_worker_first)
    assert deliver_due() == 1
    assert len(partner.got) == 1


def test_without_the_claim_two_workers_do(
    acme: Traveller,
    partner: Receiver,
    register: Register,
    book: Book,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    register(partner.url)
    book(acme)
    real = deliver._send

    def another_worker_first(tries: Any) -> None:
        Message.objects.update(next_at=clock.now())  # the guard taken away
        holds_store().delete(keys.WEBHOOKS_LEASE)
        monkeypatch.setattr(deliver, "_send", real)
        assert deliver_due() == 1
        real(tries)

    monkeypatch.setattr(deliver, "_send", another_worker_first)
    assert deliver_due() == 1
    assert len(partner.got) == 2
    assert partner.got[0].name == partner.got[1].name

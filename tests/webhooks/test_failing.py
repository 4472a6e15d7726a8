"""Receivers that are slow or fail: nobody waits for them, and in the end they are left alone."""

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from config import clock
from config.outbox.models import OutboxEvent
from reservations.webhooks import deliver
from reservations.webhooks.deliver import WAITS, deliver_due
from reservations.webhooks.models import Message
from tests.engine import Traveller
from tests.webhooks.conftest import Book, MakeReceiver, Register
from tests.webhooks.receiver import Receiver

pytestmark = pytest.mark.django_db


def test_one_slow_receiver_keeps_nobody_waiting(  # noqa: PLR0917  # fixtures
    acme: Traveller,
    make_receiver: MakeReceiver,
    register: Register,
    book: Book,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The quick one is recorded while the slow one is still being waited for."""
    slow, quick = make_receiver(), make_receiver()
    slow.answers = ["hang"]
    register(slow.url)
    register(quick.url)
    book(acme)
    settings.ENV = settings.ENV.model_copy(update={"webhook_timeout_seconds": 1.0})
    recorded: list[tuple[int | None, bool]] = []
    real = deliver.record

    def recording(message: Message, outcome: Any) -> None:
        recorded.append((outcome.status, bool(slow.got)))
        real(message, outcome)

    monkeypatch.setattr(deliver, "record", recording)
    began = time.monotonic()
    assert deliver_due() == 2
    assert [status for status, _ in recorded] == [200, None]
    assert time.monotonic() - began < 4


def test_a_failing_endpoint_is_asked_with_one_message_at_a_time(
    acme: Traveller, partner: Receiver, register: Register, book: Book
) -> None:
    partner.answers = [500]
    register(partner.url)
    for _ in range(3):
        book(acme)
    assert deliver_due() == 3  # nobody knew yet
    with clock.moved(timedelta(minutes=1)):
        assert deliver_due() == 1
    partner.answers = [200]
    with clock.moved(timedelta(minutes=20)):
        assert deliver_due() == 3
    assert len({got.name for got in partner.got}) == 3
    assert not Message.objects.filter(delivered_at=None)


def test_a_receiver_that_asks_for_time_gets_it(
    acme: Traveller, partner: Receiver, register: Register, book: Book
) -> None:
    partner.answers = [429, 200]
    partner.headers = {"Retry-After": "600"}
    register(partner.url)
    book(acme)
    deliver_due()
    with clock.moved(timedelta(seconds=590)):
        assert deliver_due() == 0
    with clock.moved(timedelta(seconds=601)):
        assert deliver_due() == 1


def test_after_the_last_try_it_is_given_up_and_staff_replay_it(  # noqa: PLR0917  # fixtures
    acme: Traveller,
    controller: Traveller,
    partner: Receiver,
    register: Register,
    book: Book,
    settings: Settings,
) -> None:
    settings.ENV = settings.ENV.model_copy(update={"webhook_disable_after_hours": 720})
    partner.answers = [500]
    endpoint = register(partner.url)
    book(acme)
    passed = timedelta(0)
    assert deliver_due() == 1
    for wait in WAITS:
        passed += wait * (1 + deliver.JITTER) + timedelta(seconds=1)
        with clock.moved(passed):
            assert deliver_due() == 1, wait
    message = Message.objects.get()
    assert (message.state, message.attempts) == ("given-up", 10)
    assert timedelta(days=3) < passed < timedelta(days=4)

    partner.answers = [200]
    with clock.moved(passed + timedelta(days=1)):
        assert deliver_due() == 0
    again = controller.post(f"operations/webhook-deliveries/{message.name}/replay/")
    assert again.status_code == 202, again.content
    assert (again.json()["status"], len(again.json()["log"])) == ("waiting", 10)
    assert deliver_due() == 1
    assert {got.name for got in partner.got} == {message.name}
    path = f"operations/webhooks/{endpoint.pk}/deliveries/"
    (shown,) = controller.get(path, status="delivered").json()["results"]
    assert [each["status"] for each in shown["log"]] == [500] * 10 + [200]
    assert shown["payload"] == json.loads(partner.got[0].body)


def test_long_failure_disables_and_enabling_sends_what_waited(
    acme: Traveller, controller: Traveller, partner: Receiver, register: Register, book: Book
) -> None:
    partner.answers = [503]
    endpoint = register(partner.url)
    path = f"operations/webhooks/{endpoint.pk}/"
    book(acme)
    deliver_due()
    with clock.moved(timedelta(hours=119)):
        assert deliver_due() == 1
    assert controller.get(path).json()["status"] == "enabled"
    with clock.moved(timedelta(hours=121)):
        assert deliver_due() == 1
    shown = controller.get(path).json()
    assert (shown["status"], shown["disabled_why"]) == ("disabled", "failing")
    assert OutboxEvent.objects.get(kind="webhook.disabled").body["reason"] == "failing"

    book(acme)
    with clock.moved(timedelta(days=30)):
        assert deliver_due() == 0
    name = Message.objects.order_by("-id")[0].name
    refused = controller.post(f"operations/webhook-deliveries/{name}/replay/")
    assert (refused.status_code, refused.json()["state"]) == (409, "disabled")
    partner.answers = [200]
    said = {"enabled": True}
    enabled = controller.client.patch(f"/api/v1/{path}", said, content_type="application/json")
    assert enabled.json()["status"] == "enabled"
    assert deliver_due() == 2
    assert not Message.objects.filter(delivered_at=None)


def test_a_receiver_that_says_gone_is_left_alone(
    acme: Traveller, partner: Receiver, register: Register, book: Book
) -> None:
    partner.answers = [410]
    endpoint = register(partner.url)
    book(acme)
    deliver_due()
    endpoint.refresh_from_db()
    assert endpoint.disabled_why == "gone"
    with clock.moved(timedelta(days=2)):
        assert deliver_due() == 0

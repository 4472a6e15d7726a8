"""Partners with endpoints, told of bookings."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from config.outbox.consumers import consume_pending
from reservations.webhooks import endpoints
from reservations.webhooks.events import TYPES
from reservations.webhooks.models import Endpoint
from tests.agents.conftest import (
    _nothing_remembered,
    acme,
    customer,
    machine,
    machine_of,
    wish,
)
from tests.engine import Traveller
from tests.webhooks.receiver import Receiver, receiver

__all__ = ["_nothing_remembered", "acme", "customer", "machine", "machine_of", "wish"]

MakeReceiver = Callable[[], Receiver]
Register = Callable[..., Endpoint]
Book = Callable[[Any], str]


@pytest.fixture(autouse=True)
def _on_loopback(settings: Any) -> None:
    """Receivers of these tests are on this machine; what is refused has tests of its own."""
    changed = {"webhook_private_targets": "on", "webhook_timeout_seconds": 5.0}
    settings.ENV = settings.ENV.model_copy(update=changed)


@pytest.fixture
def make_receiver() -> Iterator[MakeReceiver]:
    with ExitStack() as stack:
        yield lambda: stack.enter_context(receiver())


@pytest.fixture
def partner(make_receiver: MakeReceiver) -> Receiver:
    return make_receiver()


@pytest.fixture
def register(controller: Traveller) -> Register:
    """Register this receiver for an account's events, for all of them unless told."""

    def make(url: str, account: str | None = None, events: tuple[str, ...] = TYPES) -> Endpoint:
        return endpoints.register_endpoint(
            actor=controller.user.pk, account=account, url=url, events=events, description=""
        )

    return make


@pytest.fixture
def book(wish: dict[str, Any]) -> Book:
    """Lock and confirm two seats; the PNR. The outbox is consumed."""

    def make(who: Any, **headers: str) -> str:
        hold = who.post("reservations/lock/", wish, **headers).json()["hold"]
        booked = who.post("reservations/confirm/", {"hold": hold}, **headers)
        assert booked.status_code == 201, booked.content
        consume()
        return str(booked.json()["pnr"])

    return make


def consume() -> None:
    while consume_pending():
        pass

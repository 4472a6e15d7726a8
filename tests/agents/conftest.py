"""Agents: staff and machines with keys, on a train of three coaches of a class."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from tests.availability import railway
from tests.engine import Traveller
from tests.users.conftest import free_throttles
from trains.models import Departure
from users import api_keys
from users.scopes import SCOPES
from users.services.manage_keys import make_key


@dataclass(frozen=True)
class Machine:
    """A program of an agent's, with its key."""

    prefix: str
    key: str
    client: Client

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.client.post(
            f"/api/v1/{path}", body or {}, content_type="application/json", headers=headers
        )

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(f"/api/v1/{path}", headers=headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self.client.delete(f"/api/v1/{path}", headers=headers)


MakeMachine = Callable[..., Machine]


@pytest.fixture(autouse=True)
def _nothing_remembered(settings: Settings) -> Iterator[None]:
    """No key of another test, and no limits, which have tests of their own."""
    settings.ENV = settings.ENV.model_copy(update={"throttles": "off"})
    api_keys.forget_keys()
    yield
    api_keys.forget_keys()


@pytest.fixture
def throttled(settings: Settings) -> Iterator[None]:
    """Limits are on, and nobody has called yet."""
    settings.ENV = settings.ENV.model_copy(update={"throttles": "on"})
    free_throttles()
    yield
    free_throttles()


@pytest.fixture
def acme(make_traveller: Callable[..., Traveller]) -> Traveller:
    """The account of a partner."""
    return make_traveller("acme")


@pytest.fixture
def machine_of(controller: Traveller) -> MakeMachine:
    """A machine with a key of this account; with every scope unless told."""

    def make(
        who: Traveller, *scopes: str, calls_per_minute: int = 10_000, expires_in_days: int = 30
    ) -> Machine:
        made = make_key(
            actor=controller.user.pk,
            account=who.user.username,
            name="machine",
            scopes=scopes or tuple(SCOPES),
            calls_per_minute=calls_per_minute,
            expires_in_days=expires_in_days,
        )
        client = Client(headers={"Authorization": f"Bearer {made.text}"})
        return Machine(made.key.prefix, made.text, client)

    return make


@pytest.fixture
def machine(acme: Traveller, machine_of: MakeMachine) -> Machine:
    return machine_of(acme)


@pytest.fixture
def customer(machine: Machine) -> str:
    """The id of a customer of the machine's."""
    answer = machine.post("agents/customers/", CONTACT)
    assert answer.status_code == 201, answer.content
    return str(answer.json()["customer"])


CONTACT = {"email": "asha@example.org", "phone_number": "+91 22 5550 1234"}


@pytest.fixture
def long_train(db: None, empty_redis: None) -> Departure:
    """64 berths in S1 to S3, of 24, 20 and 20."""
    coaches = (("S1", "SL", 24), ("S2", "SL", 20), ("S3", "SL", 20))
    return railway.departure(railway.train("10199", coaches=coaches))


@pytest.fixture
def wish(departure: Departure) -> dict[str, Any]:
    return {
        "departure": departure.pk,
        "source": "AAA",
        "destination": "CCC",
        "travel_class": "SL",
        "count": 2,
    }

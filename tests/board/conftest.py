"""A member of staff in a browser, and a sale that has reached MongoDB."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pymongo.database import Database
from pytest_django import Settings

from tests.engine import Traveller
from tests.pages.visiting import PASSWORD, Visit
from tests.selling import Sale, sell
from trains.models import Departure
from users.models import User


@pytest.fixture(autouse=True)
def _calm(settings: Settings) -> None:
    """No rate limits, and passwords that are quickly hashed."""
    settings.ENV = settings.ENV.model_copy(update={"throttles": "off"})
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def make_visit(db: None, empty_redis: None) -> Callable[..., Visit]:
    def make(name: str, *, is_staff: bool) -> Visit:
        user = User.objects.create_user(name, f"{name}@example.org", PASSWORD, is_staff=is_staff)
        visit = Visit(Client(), user)
        visit.sign_in()
        return visit

    return make


@pytest.fixture
def meera(make_visit: Callable[..., Visit]) -> Visit:
    """Of the staff."""
    return make_visit("meera", is_staff=True)


@pytest.fixture
def ravi(make_visit: Callable[..., Visit]) -> Visit:
    """A traveller."""
    return make_visit("ravi", is_staff=False)


@pytest.fixture
def _clean(streams: None, mongo: "Database[dict[str, Any]]") -> None:
    """Nothing of another test in MongoDB, nor on its way there."""


@pytest.fixture
def sale(
    _clean: None,
    departure: Departure,
    anna: Traveller,
    bela: Traveller,
    django_capture_on_commit_callbacks: Any,
) -> Sale:
    return sell(departure, anna, bela, django_capture_on_commit_callbacks)

"""Travellers in a browser without JavaScript: Django's client, with sessions and forms."""

from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django import Settings

from tests.pages.visiting import PASSWORD, Visit
from users.models import User


@pytest.fixture(autouse=True)
def _calm(settings: Settings) -> None:
    """No rate limits, and passwords that are quickly hashed."""
    settings.ENV = settings.ENV.model_copy(update={"throttles": "off"})
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def stranger(db: None, empty_redis: None) -> Visit:
    return Visit(Client())


@pytest.fixture
def make_visit(db: None, empty_redis: None) -> Callable[[str], Visit]:
    def make(name: str) -> Visit:
        user = User.objects.create_user(name, f"{name}@example.org", PASSWORD)
        visit = Visit(Client(), user)
        visit.sign_in()
        return visit

    return make


@pytest.fixture
def asha(make_visit: Callable[[str], Visit]) -> Visit:
    return make_visit("asha")


@pytest.fixture
def ravi(make_visit: Callable[[str], Visit]) -> Visit:
    return make_visit("ravi")

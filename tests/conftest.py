"""Fixtures every test may ask for."""

import os
from collections.abc import Iterator

import pytest
from django.conf import settings
from pytest_django import DjangoDbBlocker

from config.garbage import settle_down
from tests.emptying import empty_quickly, keep_first_rows
from tests.stores import OwnStore, own_store

pytest_plugins = ["tests.engine", "tests.race.fixtures", "tests.trail"]

# What a request may wait is little on a machine that runs tests and builds beside. What is shown
# about those times is shown in tests/surviving, which set it back where a store is away.
CALM = {"redis_timeout_seconds": 5.0, "database_timeout_seconds": 20.0}


def pytest_configure() -> None:
    empty_quickly()
    for setting, seconds in CALM.items():
        setattr(settings.ENV, setting, seconds)
        os.environ[setting.upper()] = str(seconds)  # of servers that we start


def pytest_collection_finish() -> None:
    """Thousands of collected tests are no garbage, and are not to be looked through again."""
    settle_down()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """The test database, with copies of its first rows."""
    with django_db_blocker.unblock():
        keep_first_rows()


@pytest.fixture
def own_postgres() -> Iterator[OwnStore]:
    """A PostgreSQL of this test's own, running, to be stopped and started at will."""
    with own_store("DATABASE_URL") as store:
        yield store


@pytest.fixture
def own_redis() -> Iterator[OwnStore]:
    """A Valkey of this test's own, configured as the holds' one is."""
    with own_store("REDIS_URL") as store:
        yield store


@pytest.fixture
def own_mongo() -> Iterator[OwnStore]:
    """A mongod of this test's own."""
    with own_store("MONGO_URL") as store:
        yield store

"""Fixtures every test may ask for."""

from collections.abc import Iterator

import pytest

from tests.stores import OwnStore, own_store

pytest_plugins = ["tests.engine"]


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

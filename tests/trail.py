"""Fixtures of tests that look at the audit trail: an empty MongoDB, nothing on its way there."""

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo.database import Database
from pytest_django import Settings

from analytics import schema
from analytics.shipping import shipper
from config.http.request_log import STREAM
from config.stores.mongo import audit_database
from config.stores.redis import holds_store
from reservations.availability import plans


@pytest.fixture
def mongo(settings: Settings) -> "Database[dict[str, Any]]":
    """A database of the tests' own, with its schema and no documents.

    Whoever asks `check_invariants` about everything has it, too: servers that other tests started
    leave their documents in the usual one.
    """
    settings.ENV = settings.ENV.model_copy(update={"mongo_database": "test_seatlock"})
    shipper.forget_failures()
    schema.ensure_schema()
    for wanted in schema.collections():
        audit_database()[wanted.name].delete_many({})
    return audit_database()


@pytest.fixture
def streams() -> Iterator[None]:
    """An empty Redis, and nothing left in the queue of the request log, before and after."""
    _clear()
    yield
    _clear()


def _clear() -> None:
    STREAM.flush()
    holds_store().flushall()
    plans.forget_all()

"""A Redis of the test's own under the engine, to be flushed, stopped or frozen."""

from collections.abc import Iterator

import pytest
from django.conf import settings

from config.stores import redis as redis_client
from tests.stores import OwnStore


@pytest.fixture
def own_holds(own_redis: OwnStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[OwnStore]:
    """The engine of this process works on a Valkey of this test's own."""
    monkeypatch.setattr(settings.ENV, "redis_url", own_redis.url)
    monkeypatch.setattr(settings.ENV, "redis_breaker_seconds", 0.3)  # each return waits for it
    redis_client.holds_store.cache_clear()
    yield own_redis
    monkeypatch.undo()
    redis_client.holds_store.cache_clear()

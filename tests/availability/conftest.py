"""Availability is read beside a working engine; nobody is throttled."""

from collections.abc import Iterator

import pytest
from django.conf import settings

from config.stores.redis import holds_store
from tests.stores import OwnStore


@pytest.fixture(autouse=True)
def _no_throttles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.ENV, "throttles", "off")


@pytest.fixture
def no_redis(own_redis: OwnStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[OwnStore]:
    """The holds' store is away; `start()` brings it back, empty."""
    monkeypatch.setattr(settings.ENV, "redis_url", own_redis.url)
    holds_store.cache_clear()
    own_redis.stop()
    yield own_redis
    monkeypatch.undo()
    holds_store.cache_clear()

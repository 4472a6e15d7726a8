"""One live process for all these tests, and a departure that is really in the database."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings

from config.stores import redis as redis_client
from tests.availability import railway
from tests.live.server import Live, live_server
from tests.stores import OwnStore
from trains.models import Departure

STOPS = ("AAA", "BBB", "CCC", "DDD", "EEE")


@pytest.fixture(scope="session")
def live(django_db_setup: None, django_db_blocker: Any) -> Iterator[Live]:
    with django_db_blocker.unblock(), live_server(LIVE_HEARTBEAT_SECONDS="1") as live:
        yield live


@pytest.fixture
def departure(transactional_db: None, empty_redis: None) -> Departure:
    """Committed, so that another process sees it. Eight berths in S1, eight chairs in C1."""
    return railway.departure(railway.train(stops=STOPS))


@pytest.fixture
def own_holds(own_redis: OwnStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[OwnStore]:
    """The engine of this process works on a Valkey of this test's own."""
    monkeypatch.setattr(settings.ENV, "redis_url", own_redis.url)
    monkeypatch.setattr(settings.ENV, "redis_breaker_seconds", 0.3)
    redis_client.holds_store.cache_clear()
    yield own_redis
    monkeypatch.undo()
    redis_client.holds_store.cache_clear()

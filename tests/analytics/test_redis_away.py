"""The holds' Redis full, gone or empty: what the shipper does then. Against a Valkey of its own."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from pymongo.database import Database
from pytest_django import Settings

from analytics.operations.backlog import stream_backlog
from analytics.shipping import shipper
from analytics.shipping.shipper import ship_pending
from config.http.request_log import STREAM
from config.http.request_stream import LoggedRequest
from config.outbox.facts import Fact, append
from config.stores import redis as redis_client
from config.stores.redis import holds_store
from tests.analytics.conftest import add_hold_facts, hold_fact, unshipped_hold_facts
from tests.engine import Traveller
from tests.stores import OwnStore, until_answered
from trains.models import Departure

Mongo = Database[dict[str, Any]]

pytestmark = pytest.mark.django_db

BOOKED = Fact(event_id="h1:confirmed", kind="booking.confirmed", subject="P1", stage=3)
ENTRY = LoggedRequest(1_700_000_000.0, 1.5, "GET", "stations/", "", 200, None, None)


@pytest.fixture
def own_holds(own_redis: OwnStore, settings: Settings, mongo: Mongo) -> Iterator[OwnStore]:
    assert mongo.name
    STREAM.flush()
    changed = {"redis_url": own_redis.url, "redis_timeout_seconds": 0.5}
    settings.ENV = settings.ENV.model_copy(update=changed)
    redis_client.holds_store.cache_clear()
    yield own_redis
    STREAM._reset()
    redis_client.holds_store.cache_clear()
    shipper.forget_failures()


def test_a_full_redis_is_emptied_by_the_shipper(mongo: Mongo, own_holds: OwnStore) -> None:
    """It refuses whatever may take memory; forgetting what was shipped gives memory back."""
    assert own_holds.url
    add_hold_facts(hold_fact("h1"), hold_fact("h2"))
    STREAM.put(ENTRY)
    STREAM.flush()
    append(BOOKED)
    holds_store().config_set("maxmemory", "1")
    with pytest.raises(redis.exceptions.OutOfMemoryError):
        add_hold_facts(hold_fact("h3"))

    assert ship_pending() == 4

    assert mongo.facts.count_documents({}) == 3
    assert unshipped_hold_facts() == 0
    assert (stream_backlog().requests, stream_backlog().requests_dropped) == (0, 0)


def test_without_redis_the_outbox_still_arrives_and_the_rest_later(
    mongo: Mongo, own_holds: OwnStore
) -> None:
    add_hold_facts(hold_fact("h1"))
    append(BOOKED)
    own_holds.stop()
    assert ship_pending() == 1
    assert [fact["_id"] for fact in mongo.facts.find()] == ["h1:confirmed"]

    own_holds.start()
    until_answered(holds_store().ping)
    shipper.forget_failures()
    assert ship_pending() == 1
    assert mongo.facts.count_documents({}) == 2
    assert mongo.gaps.count_documents({}) == 0  # its file brought everything back


def test_a_full_redis_locks_nothing_more_and_says_it_is_unavailable(
    own_holds: OwnStore, anna: Traveller, departure: Departure
) -> None:
    assert own_holds.url
    hold = _lock(anna, departure, "S1-1")
    holds_store().config_set("maxmemory", "1")
    wish = {"departure": departure.pk, "source": "AAA", "destination": "EEE", "seats": ["S1-2"]}
    refused = anna.post("reservations/lock/", wish)
    assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    assert anna.delete(f"reservations/holds/{hold}/").status_code == 204


def test_a_flushed_redis_is_a_gap_and_later_facts_arrive(
    mongo: Mongo,
    own_holds: OwnStore,
    anna: Traveller,
    departure: Departure,
) -> None:
    assert own_holds.url
    first = _lock(anna, departure, "S1-1")
    ship_pending()
    lost = _lock(anna, departure, "S1-2")
    holds_store().flushall()
    after = _lock(anna, departure, "S1-3")
    ship_pending()
    ship_pending()

    assert {fact["hold"] for fact in mongo.facts.find()} == {first, after}
    assert lost not in {first, after}
    (gap,) = mongo.gaps.find()
    assert (gap["reason"], gap["shards"]) == ("memory-lost", [departure.pk % 64])


def _lock(anna: Traveller, departure: Departure, seat: str) -> str:
    wish = {"departure": departure.pk, "source": "AAA", "destination": "EEE", "seats": [seat]}
    answer = anna.post("reservations/lock/", wish)
    assert answer.status_code == 201, answer.content
    hold: str = answer.json()["hold"]
    return hold

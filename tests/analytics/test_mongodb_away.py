"""MongoDB frozen, killed, back again: requests go on, nothing is lost, the rest catches up.

Against a mongod of its own, which these tests stop and kill.
"""

import time
from collections.abc import Iterator
from itertools import pairwise
from types import SimpleNamespace

import pytest
from django.test import Client
from pymongo.errors import PyMongoError
from pytest_django import Settings

from analytics.schema import FACTS, REQUESTS
from analytics.shipping import backoff, gaps, shipper, sink
from analytics.shipping.shipper import ship_pending
from config.http.request_log import STREAM
from config.outbox.facts import Fact, append
from config.outbox.models import OutboxEvent
from config.stores import keys
from config.stores import mongo as mongo_client
from config.stores.mongo import audit_database
from config.stores.redis import holds_store
from tests.analytics.conftest import add_hold_facts, hold_fact, unshipped_hold_facts
from tests.stores import OwnStore

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("streams")]

ATTEMPT_SECONDS = 0.5
NOTICEABLE_SECONDS = 0.5


@pytest.fixture
def mongod(
    own_mongo: OwnStore, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[OwnStore]:
    changed = {"mongo_url": own_mongo.url, "mongo_timeout_seconds": ATTEMPT_SECONDS}
    settings.ENV = settings.ENV.model_copy(update=changed)
    for module, name in ((sink, "WRITE_SECONDS"), (gaps, "WRITE_SECONDS")):
        monkeypatch.setattr(module, name, ATTEMPT_SECONDS)
    mongo_client._client.cache_clear()
    shipper.forget_failures()
    yield own_mongo
    audit_database().client.close()
    mongo_client._client.cache_clear()
    shipper.forget_failures()


def make_facts(name: str) -> None:
    append(Fact(event_id=f"{name}:confirmed", kind="booking.confirmed", subject=name, stage=3))
    add_hold_facts(hold_fact(name))


def ask(times: int) -> float:
    """API requests; the slowest took that many seconds."""
    slowest = 0.0
    for _ in range(times):
        started = time.monotonic()
        assert Client().get("/api/v1/nothing-here/").status_code == 404
        slowest = max(slowest, time.monotonic() - started)
    STREAM.flush()
    return slowest


def documents() -> dict[str, int]:
    return {name: audit_database()[name].count_documents({}) for name in (FACTS, REQUESTS)}


def ship_all() -> None:
    """As the beats would, one after another, until a server that is just back answers in time."""
    for _ in range(30):
        shipper.forget_failures()
        ship_pending(budget_seconds=60)
        if not (
            unshipped_hold_facts()
            or holds_store().xlen(keys.REQUESTS)
            or OutboxEvent.objects.filter(shipped_at=None).exists()
        ):
            return


@pytest.mark.parametrize("how", ["frozen", "killed"])
def test_requests_go_on_without_mongodb_and_everything_arrives_when_it_is_back(
    mongod: OwnStore, how: str
) -> None:
    make_facts("before")
    ask(3)
    assert ship_pending() == 5

    (mongod.freeze if how == "frozen" else mongod.kill)()
    make_facts("meanwhile")
    assert ask(20) < NOTICEABLE_SECONDS
    assert ship_pending() == 0
    assert unshipped_hold_facts() == 1
    assert OutboxEvent.objects.filter(shipped_at=None).count() == 1
    assert holds_store().xlen(keys.REQUESTS) == 20

    (mongod.thaw if how == "frozen" else mongod.start)()
    ship_all()
    assert documents() == {FACTS: 4, REQUESTS: 23}
    assert unshipped_hold_facts() == holds_store().xlen(keys.REQUESTS) == 0


def test_a_fact_whose_answer_was_lost_is_one_document(mongod: OwnStore) -> None:
    """Frozen after it read the insert: the shipper hears nothing, the document is there."""
    make_facts("before")
    ship_pending()
    make_facts("meanwhile")
    mongod.freeze()
    assert ship_pending() == 0
    mongod.thaw()
    ship_all()
    assert documents()[FACTS] == 4


def test_what_was_acknowledged_survives_the_sudden_death_of_mongodb(mongod: OwnStore) -> None:
    make_facts("before")
    assert ship_pending() == 2
    mongod.kill()
    mongod.start()
    assert documents()[FACTS] == 2


def test_after_a_failure_the_shipper_stays_away_for_a_while_and_longer_each_time(
    mongod: OwnStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = 0.0
    monkeypatch.setattr(backoff, "time", SimpleNamespace(monotonic=lambda: moment))
    attempts: list[float] = []

    def refuse() -> None:
        attempts.append(moment)
        raise PyMongoError("away")

    monkeypatch.setattr(shipper, "_prepare", refuse)
    mongod.kill()
    for second in range(200):
        moment = float(second)
        ship_pending()
    waits = [later - earlier for earlier, later in pairwise(attempts)]
    assert waits[:3] == [1, 2, 4]
    assert backoff.CAP_SECONDS * 0.8 <= waits[-1] <= backoff.CAP_SECONDS

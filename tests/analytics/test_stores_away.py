"""The dashboard and the metrics on the night they are needed: with stores away."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError
from prometheus_client import generate_latest
from pymongo.database import Database
from pytest_django import Settings

from analytics.operations import dashboard as dashboard_module
from analytics.operations.dashboard import dashboard
from analytics.shipping.shipper import ship_pending
from config.http import health as health_page
from config.http.metrics import FROM_STORES
from config.outbox.facts import Fact, append
from config.stores import health
from config.stores import mongo as mongo_client
from config.stores.health import ANSWER_SECONDS, check_stores
from config.stores.mongo import audit_database
from tests.analytics.conftest import add_hold_facts, hold_fact
from tests.engine import Traveller
from tests.stores import OwnStore

Mongo = Database[dict[str, Any]]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("streams")]


@pytest.fixture
def lonely_mongo(own_mongo: OwnStore, settings: Settings) -> Iterator[OwnStore]:
    changed = {"mongo_url": own_mongo.url, "mongo_timeout_seconds": 0.5}
    settings.ENV = settings.ENV.model_copy(update=changed)
    mongo_client._client.cache_clear()
    yield own_mongo
    audit_database().client.close()
    mongo_client._client.cache_clear()


def up() -> dict[str, bool]:
    return {each.store: each.is_up for each in check_stores()}


def test_every_store_says_how_fast_it_answers() -> None:
    found = check_stores()
    assert [each.store for each in found] == ["postgresql", "redis", "broker", "mongodb"]
    assert all(each.is_up and each.latency_ms and each.latency_ms < 2000 for each in found)


@pytest.mark.parametrize("how", ["frozen", "killed"])
def test_the_dashboard_without_mongodb_shows_the_rest_in_time(
    lonely_mongo: OwnStore, controller: Traveller, how: str
) -> None:
    (lonely_mongo.freeze if how == "frozen" else lonely_mongo.kill)()
    started = time.monotonic()
    answer = controller.get("operations/dashboard/")
    assert time.monotonic() - started < ANSWER_SECONDS + 2
    found = answer.json()
    assert found["sink"] is None
    assert (found["outbox_pending"], found["streams"]["hold_facts"]) == (0, 0)
    assert {each["store"]: each["is_up"] for each in found["stores"]} == {
        "postgresql": True, "redis": True, "broker": True, "mongodb": False,
    }  # fmt: skip
    for path in ("analytics/funnel/", "operations/audit/?hold=h", "operations/audit/?user=1"):
        started = time.monotonic()
        report = controller.get(path)
        assert (report.status_code, report.json()["code"]) == (503, "unavailable")
        assert report["Retry-After"]
        assert time.monotonic() - started < ANSWER_SECONDS


def test_a_frozen_store_is_asked_by_one_thread_however_often_one_looks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    thaw, asked = threading.Event(), []

    def frozen() -> None:
        asked.append(threading.current_thread())
        thaw.wait(30)

    monkeypatch.setattr(health, "ANSWER_SECONDS", 0.05)
    monkeypatch.setitem(health._QUESTIONS, "postgresql", frozen)
    assert [up()["postgresql"] for _ in range(5)] == [False] * 5
    assert len(asked) == 1
    thaw.set()
    asked[0].join(30)
    assert up()["postgresql"]
    assert len(asked) == 2


def test_a_store_that_goes_while_the_dashboard_looks_leaves_its_part_out(
    mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert mongo.name

    def gone() -> None:
        raise OperationalError("the connection is lost")

    monkeypatch.setattr(dashboard_module, "count_bookings", gone)
    found = dashboard()
    assert found.bookings is None
    assert found.holds is not None


def test_metrics_tell_what_waits_and_what_was_set_aside(mongo: Mongo) -> None:
    health_page.asked.forget()
    append(Fact(event_id="bad", kind="x.y", subject="s", stage=1, body={"big": 10**30}))
    add_hold_facts(hold_fact("h1"), hold_fact("h2"))

    def lines() -> dict[str, float]:
        text = generate_latest(FROM_STORES).decode()
        pairs = (line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("seatlock_"))
        return {name: float(value) for name, value in pairs}

    before = lines()
    assert before["seatlock_outbox_unshipped"] == 1
    assert before["seatlock_hold_facts_unshipped"] == 2
    assert before["seatlock_request_log_dropped_total"] == 0
    ship_pending()
    after = lines()
    assert after["seatlock_outbox_unshipped"] == after["seatlock_hold_facts_unshipped"] == 0
    assert (after["seatlock_dead_letters"], after["seatlock_gaps"]) == (1, 0)
    assert after["seatlock_shipper_seen_timestamp_seconds"] == pytest.approx(time.time(), abs=60)
    assert mongo.dead_letters.count_documents({}) == 1


def test_metrics_without_mongodb_leave_its_gauges_out(lonely_mongo: OwnStore) -> None:
    lonely_mongo.kill()
    health_page.asked.forget()
    text = generate_latest(FROM_STORES).decode()
    assert "seatlock_outbox_unshipped" in text
    assert "seatlock_dead_letters" not in text

"""Probes and metrics: who is told what when a store is away."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from config.http import health, metrics
from config.stores.health import StoreHealth

ALL = ("postgresql", "redis", "broker", "mongodb")


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    health.asked.forget()
    metrics.kept.forget()
    yield
    health.asked.forget()
    metrics.kept.forget()


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let these stores be away. How that is found out is tested where it is done."""

    def stores_away(*names: str) -> None:
        found = [
            StoreHealth(store=name, is_up=False)
            if name in names
            else StoreHealth(store=name, is_up=True, latency_ms=0.5)
            for name in ALL
        ]
        monkeypatch.setattr(health, "check_stores", lambda: found)

    return stores_away


def test_live_asks_no_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "check_stores", pytest.fail)
    response = Client().get("/health/live/")
    assert (response.status_code, response.json()) == (200, {"status": "up"})


@pytest.mark.django_db
def test_ready_names_each_store_with_its_latency() -> None:
    response = Client().get("/health/ready/")
    assert response.status_code == 200
    assert response.json()["status"] == "ready"
    stores = response.json()["stores"]
    assert set(stores) == set(ALL)
    assert all(each["is_up"] and each["latency_ms"] > 0 for each in stores.values())


@pytest.mark.parametrize("store", ["postgresql", "redis"])
def test_without_a_store_travellers_need_it_is_not_ready(away: Any, store: str) -> None:
    away(store)
    response = Client().get("/health/ready/")
    assert response.status_code == 503
    assert response["Content-Type"] == "application/problem+json"
    assert int(response["Retry-After"]) > 0
    document = response.json()
    assert document["code"] == "unavailable"
    assert store in document["detail"]
    assert document["stores"][store] == {"is_up": False, "latency_ms": None}


@pytest.mark.parametrize("store", ["mongodb", "broker"])
def test_a_store_no_traveller_needs_only_degrades(away: Any, store: str) -> None:
    away(store)
    response = Client().get("/health/ready/")
    assert (response.status_code, response.json()["status"]) == (200, "degraded")


def test_stores_are_not_asked_for_every_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def count() -> list[StoreHealth]:
        calls.append(1)
        return [StoreHealth(store=name, is_up=True, latency_ms=1.0) for name in ALL]

    monkeypatch.setattr(health, "check_stores", count)
    for _ in range(10):
        Client().get("/health/ready/")
    assert len(calls) == 1


@pytest.mark.parametrize("path", ["/health/live/", "/health/ready/", "/metrics"])
def test_what_only_reads_refuses_other_methods_with_a_problem(path: str) -> None:
    response = Client(enforce_csrf_checks=True).post(path)
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")
    assert response.json()["code"] == "method-not-allowed"


@pytest.mark.django_db
def test_metrics_count_requests_by_route_and_read_the_stores() -> None:
    Client().get("/health/live/?page=1")
    Client().get("/no/such/place/")
    response = Client().get("/metrics")
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain")
    text = response.content.decode()
    assert 'endpoint="/health/live/",method="GET",status="200"' in text
    assert 'endpoint="(unmatched)",method="GET",status="404"' in text
    assert "seatlock_request_seconds_bucket" in text
    assert 'seatlock_store_up{store="mongodb"} 1.0' in text
    for name in ("live_holds", "hold_facts_unshipped", "outbox_unshipped", "dead_letters"):
        assert f"\nseatlock_{name} " in text
    assert 'seatlock_bookings{status="confirmed"} 0.0' in text
    assert "no/such/place" not in text


def test_metrics_leave_out_what_a_store_that_is_away_would_say(away: Any) -> None:
    away(*ALL)
    text = Client().get("/metrics").content.decode()
    assert 'seatlock_store_up{store="redis"} 0.0' in text
    assert "seatlock_live_holds" not in text
    assert "seatlock_dead_letters" not in text

"""The real server, with its threads, when its PostgreSQL freezes and thaws."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import httpx
import psycopg
import pytest

from tests.promises.test_p4_survives_kill import first_departure, manage, signed_in
from tests.stores import OwnStore
from tests.web import Web, until_answered_with, web_server

pytestmark = pytest.mark.timeout(180)

THREADS = 4
TIMEOUT_SECONDS = 1.0
# What a busy machine may add.
MARGIN_SECONDS = 2.0
OUTAGE_SECONDS = 5.0
OPEN = "seatlock_postgres_breaker_open "


@dataclass
class Sale:
    """One departure on a real server whose stores are the test's own, and one who holds seats."""

    web: Web
    client: httpx.Client
    wish: dict[str, Any]
    search: dict[str, Any]
    holds: list[str]

    def lock(self) -> httpx.Response:
        return self.client.post("/reservations/lock/", json=self.wish)

    def confirm(self, hold: str) -> httpx.Response:
        return self.client.post("/reservations/confirm/", json={"hold": hold}, timeout=60)

    def look(self) -> list[httpx.Response]:
        """What a traveller looks at before a booking, which needs no PostgreSQL."""
        departure = self.wish["departure"]
        where = {"source": self.wish["source"], "destination": self.wish["destination"]}
        return [
            self.client.get("/departures/search/", params=self.search),
            self.client.get(f"/departures/{departure}/seats/", params=where),
        ]


@pytest.fixture
def sale(own_postgres: OwnStore, own_redis: OwnStore) -> Iterator[Sale]:
    stores = {"DATABASE_URL": own_postgres.url, "REDIS_URL": own_redis.url}
    environment = {**os.environ, **stores}
    manage(environment, "migrate", "--verbosity", "0")
    manage(environment, "seed_demo")
    departure, source, destination = first_departure(own_postgres.url)
    wish = {"departure": departure, "source": source, "destination": destination, "count": 1}
    where = {"source": source, "destination": destination}
    limits = {
        "DATABASE_TIMEOUT_SECONDS": str(TIMEOUT_SECONDS),
        "THROTTLES": "off",
        "HOLD_MAX_PER_USER": "20",
        "WEB_WORKERS": "1",
        "WEB_THREADS": str(THREADS),
    }
    with web_server(**stores, **limits) as web:
        search = {**where, "date": _day_of(own_postgres.url, departure)}
        sale = Sale(web, signed_in(web.url), wish, search, [])
        sale.holds = [sale.lock().json()["hold"] for _ in range(2 * THREADS)]
        for found in sale.look()[0].json()["results"]:
            # Of a departure where nobody ever held a seat only PostgreSQL knows what is free.
            wish["departure"] = found["departure"]
            assert sale.lock().status_code == 201
        wish["departure"] = departure
        yield sale


def _day_of(url: str, departure: int) -> str:
    with psycopg.connect(url) as connection:
        (day,) = connection.execute(
            "SELECT service_date FROM trains_departure WHERE id = %s", [departure]
        ).fetchone() or (date.min,)
    return str(day)


def is_unavailable(answer: httpx.Response) -> bool:
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    return int(answer.headers["Retry-After"]) > 0


def test_confirms_that_meet_a_frozen_postgres_do_not_hold_up_who_needs_none(
    sale: Sale, own_postgres: OwnStore
) -> None:
    own_postgres.freeze()
    frozen_at = time.monotonic()
    with ThreadPoolExecutor(2 * THREADS) as pool:
        for answer in pool.map(sale.confirm, sale.holds):  # twice as many as there are threads
            assert is_unavailable(answer)
            assert answer.elapsed.total_seconds() < 2 * TIMEOUT_SECONDS + MARGIN_SECONDS
    assert sale.web.metric(OPEN) == 1.0
    while time.monotonic() - frozen_at < OUTAGE_SECONDS:
        with ThreadPoolExecutor(2 * THREADS) as pool:
            confirms = pool.map(sale.confirm, sale.holds)
            for answer in sale.look():
                assert answer.status_code == 200, answer.text
                assert answer.elapsed.total_seconds() < MARGIN_SECONDS
            held = sale.lock()
            assert held.status_code == 201, held.text
            assert sale.client.delete(f"/reservations/holds/{held.json()['hold']}/").is_success
            for answer in confirms:
                assert is_unavailable(answer)
    ready = sale.web.ready()
    assert ready.status_code == 503
    assert ready.json()["postgres_breaker"] in {"open", "half-open"}

    own_postgres.thaw()
    bookings = [
        until_answered_with(partial(sale.confirm, hold), 200, 201).json() for hold in sale.holds
    ]
    assert [booking["hold"] for booking in bookings] == sale.holds
    assert sale.client.get("/reservations/bookings/").json()["count"] == len(sale.holds)
    ready = until_answered_with(sale.web.ready, 200)
    assert ready.json()["postgres_breaker"] == "closed"
    assert sale.web.metric(OPEN) == 0.0

"""The real server, with its threads, when its Redis freezes, comes back, and is lost."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import httpx
import pytest

from tests.engine import Traveller
from tests.stores import OwnStore
from tests.web import Web, until_answered_with, web_server
from trains.models import Departure

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

THREADS = 8
OPEN_SECONDS = 2.0
REFUSED = 'seatlock_redis_breaker_events_total{event="refused"}'
TIMEOUT_SECONDS = 0.25
# What a busy machine may add.
MARGIN_SECONDS = 1.25


@dataclass
class Sale:
    """One departure on a real server, and travellers who want a seat."""

    web: Web
    departure: int
    people: Iterator[Traveller]
    anna: httpx.Client

    def client(self, person: Traveller) -> httpx.Client:
        headers = {"Authorization": f"Bearer {person.access}"}
        return httpx.Client(base_url=f"{self.web.url}/api/v1", headers=headers, timeout=30)

    def lock(self, _: int = 0) -> httpx.Response:
        return self.lock_as(self.client(next(self.people)))

    def lock_as(self, client: httpx.Client) -> httpx.Response:
        wish = {"departure": self.departure, "source": "AAA", "destination": "BBB", "count": 1}
        return client.post("/reservations/lock/", json=wish)

    def seats(self) -> dict[str, Any]:
        answer = self.anna.get(f"/departures/{self.departure}/seats/")
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()
        return found

    def confirm(self, hold: dict[str, Any]) -> httpx.Response:
        body = {"hold": hold["hold"], "capability": hold["capability"]}
        return self.anna.post("/reservations/confirm/", json=body)


@pytest.fixture
def sale(
    own_redis: OwnStore, make_traveller: Callable[..., Traveller], departure: Departure
) -> Iterator[Sale]:
    people = [make_traveller(f"rider{number}") for number in range(20)]
    settings = {
        "REDIS_URL": own_redis.url,
        "REDIS_TIMEOUT_SECONDS": str(TIMEOUT_SECONDS),
        "REDIS_BREAKER_SECONDS": str(OPEN_SECONDS),
        "THROTTLES": "off",
        "WEB_WORKERS": "1",
        "WEB_THREADS": str(THREADS),
    }
    with web_server(**settings) as web:
        sale = Sale(web, departure.pk, cycle(people), httpx.Client())
        sale.anna = sale.client(make_traveller("anna"))
        yield sale


def everybody_is_refused_at_once(sale: Sale) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        first = list(pool.map(sale.lock, range(THREADS)))
        assert {answer.status_code for answer in first} == {503}
        assert {answer.json()["code"] for answer in first} == {"unavailable"}
        slowest = max(answer.elapsed.total_seconds() for answer in first)
        assert slowest < TIMEOUT_SECONDS + MARGIN_SECONDS

        # Open now: but for one trial every two seconds nobody tries, whoever asks.
        refused = sale.web.metric(REFUSED)
        started = time.monotonic()
        assert {answer.status_code for answer in pool.map(sale.lock, range(40))} == {503}
        trials = 1 + (time.monotonic() - started) / OPEN_SECONDS
        assert sale.web.metric(REFUSED) - refused >= 40 - trials


def test_a_frozen_redis_makes_nobody_wait_twice_and_is_used_again_when_it_thaws(
    sale: Sale, own_redis: OwnStore
) -> None:
    held = until_answered_with(lambda: sale.lock_as(sale.anna), 201).json()
    own_redis.freeze()
    everybody_is_refused_at_once(sale)
    assert sale.web.metric("seatlock_redis_breaker_open ") == 1.0
    ready = sale.web.ready()
    assert ready.status_code == 503
    assert ready.json()["redis_breaker"] in {"open", "half-open"}
    assert sale.seats()["stale"] is True
    booked = sale.confirm(held)
    assert booked.status_code == 201, booked.text

    own_redis.thaw()
    assert until_answered_with(sale.lock, 201).json()["fence"] > held["fence"]
    assert sale.seats()["stale"] is False
    assert sale.web.metric("seatlock_redis_breaker_open ") == 0.0
    assert until_answered_with(sale.web.ready, 200).json()["redis_breaker"] == "closed"

    own_redis.kill()  # what is not in its file is lost; what was booked is not
    own_redis.start()
    assert until_answered_with(sale.lock, 201).json()["fence"] > held["fence"]
    repeat = until_answered_with(lambda: sale.confirm(held), 200)
    assert repeat.json()["pnr"] == booked.json()["pnr"]

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
from tests.web import web_server
from trains.models import Departure

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

THREADS = 8
OPEN_SECONDS = 2.0
REFUSED = 'seatlock_redis_breaker_events_total{event="refused"}'
TIMEOUT_SECONDS = 0.25
# What a busy machine may add.
MARGIN_SECONDS = 1.25


def until(call: Callable[[], httpx.Response], status: int) -> httpx.Response:
    """The answer, once it has this status; 503 is all it may be before."""
    deadline = time.monotonic() + 20
    while (answer := call()).status_code != status:
        assert answer.status_code == 503, answer.text
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return answer


@dataclass
class Sale:
    """One departure on a real server, and travellers who want a seat."""

    url: str
    departure: int
    people: Iterator[Traveller]
    anna: httpx.Client

    def client(self, person: Traveller) -> httpx.Client:
        headers = {"Authorization": f"Bearer {person.access}"}
        return httpx.Client(base_url=f"{self.url}/api/v1", headers=headers, timeout=30)

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

    def ready(self) -> httpx.Response:
        return httpx.get(f"{self.url}/health/ready/", timeout=30)

    def metric(self, name: str) -> float:
        lines = httpx.get(f"{self.url}/metrics", timeout=30).text.splitlines()
        return next((float(line.split()[-1]) for line in lines if line.startswith(name)), 0.0)


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
        sale = Sale(web.url, departure.pk, cycle(people), httpx.Client())
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
        refused = sale.metric(REFUSED)
        started = time.monotonic()
        assert {answer.status_code for answer in pool.map(sale.lock, range(40))} == {503}
        trials = 1 + (time.monotonic() - started) / OPEN_SECONDS
        assert sale.metric(REFUSED) - refused >= 40 - trials


def test_a_frozen_redis_makes_nobody_wait_twice_and_is_used_again_when_it_thaws(
    sale: Sale, own_redis: OwnStore
) -> None:
    held = until(lambda: sale.lock_as(sale.anna), 201).json()
    own_redis.freeze()
    everybody_is_refused_at_once(sale)
    assert sale.metric("seatlock_redis_breaker_open ") == 1.0
    ready = sale.ready()
    assert ready.status_code == 503
    assert ready.json()["redis_breaker"] in {"open", "half-open"}
    assert sale.seats()["stale"] is True
    booked = sale.confirm(held)
    assert booked.status_code == 201, booked.text

    own_redis.thaw()
    assert until(sale.lock, 201).json()["fence"] > held["fence"]
    assert sale.seats()["stale"] is False
    assert sale.metric("seatlock_redis_breaker_open ") == 0.0
    assert until(sale.ready, 200).json()["redis_breaker"] == "closed"

    own_redis.kill()  # what is not in its file is lost; what was booked is not
    own_redis.start()
    assert until(sale.lock, 201).json()["fence"] > held["fence"]
    repeat = until(lambda: sale.confirm(held), 200)
    assert repeat.json()["pnr"] == booked.json()["pnr"]

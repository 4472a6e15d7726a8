"""The real server, with its threads, when its Redis freezes, comes back, and is lost."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle

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


def metric(url: str, name: str) -> float:
    lines = httpx.get(f"{url}/metrics", timeout=30).text.splitlines()
    return next((float(line.split()[-1]) for line in lines if line.startswith(name)), 0.0)


def until(call: Callable[[], httpx.Response], status: int) -> httpx.Response:
    """The answer, once it has this status; 503 is all it may be before."""
    deadline = time.monotonic() + 20
    while (answer := call()).status_code != status:
        assert answer.status_code == 503, answer.text
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return answer


def test_a_frozen_redis_makes_nobody_wait_twice_and_is_used_again_when_it_thaws(
    own_redis: OwnStore, make_traveller: Callable[..., Traveller], departure: Departure
) -> None:
    people = cycle([make_traveller(f"rider{number}") for number in range(20)])
    wish = {"departure": departure.pk, "source": "AAA", "destination": "BBB", "count": 1}
    settings = {
        "REDIS_URL": own_redis.url,
        "REDIS_TIMEOUT_SECONDS": str(TIMEOUT_SECONDS),
        "REDIS_BREAKER_SECONDS": str(OPEN_SECONDS),
        "THROTTLES": "off",
        "WEB_WORKERS": "1",
        "WEB_THREADS": str(THREADS),
    }
    with web_server(**settings) as web, ThreadPoolExecutor(THREADS) as pool:

        def client(person: Traveller) -> httpx.Client:
            headers = {"Authorization": f"Bearer {person.access}"}
            return httpx.Client(base_url=f"{web.url}/api/v1", headers=headers, timeout=30)

        anna = client(next(people))

        def lock(_: int = 0) -> httpx.Response:
            return client(next(people)).post("/reservations/lock/", json=wish)

        held = until(lambda: anna.post("/reservations/lock/", json=wish), 201).json()
        own_redis.freeze()
        first = list(pool.map(lock, range(THREADS)))
        assert {answer.status_code for answer in first} == {503}
        assert {answer.json()["code"] for answer in first} == {"unavailable"}
        slowest = max(answer.elapsed.total_seconds() for answer in first)
        assert slowest < TIMEOUT_SECONDS + MARGIN_SECONDS

        # Open now: but for one trial every two seconds nobody tries, whoever asks.
        refused = metric(web.url, REFUSED)
        started = time.monotonic()
        assert {answer.status_code for answer in pool.map(lock, range(40))} == {503}
        trials = 1 + (time.monotonic() - started) / OPEN_SECONDS
        assert metric(web.url, REFUSED) - refused >= 40 - trials
        assert metric(web.url, "seatlock_redis_breaker_open ") == 1.0
        ready = httpx.get(f"{web.url}/health/ready/", timeout=30)
        assert (ready.status_code, ready.json()["redis_breaker"] != "closed") == (503, True)

        seats = anna.get(f"/departures/{departure.pk}/seats/")
        assert (seats.status_code, seats.json()["stale"]) == (200, True)
        body = {"hold": held["hold"], "capability": held["capability"]}
        booked = anna.post("/reservations/confirm/", json=body)
        assert booked.status_code == 201, booked.text

        own_redis.thaw()
        assert until(lock, 201).json()["fence"] > held["fence"]
        assert anna.get(f"/departures/{departure.pk}/seats/").json()["stale"] is False
        assert metric(web.url, "seatlock_redis_breaker_open ") == 0.0
        assert httpx.get(f"{web.url}/health/ready/", timeout=30).json()["redis_breaker"] == "closed"

        own_redis.kill()  # what is not in its file is lost; what was booked is not
        own_redis.start()
        assert until(lock, 201).json()["fence"] > held["fence"]
        repeat = until(lambda: anna.post("/reservations/confirm/", json=body), 200)
        assert repeat.json()["pnr"] == booked.json()["pnr"]

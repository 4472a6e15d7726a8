"""What only a real server shows: several processes, compressed files, a store that is away."""

import gzip
import re
import time
from collections.abc import Callable

import httpx
import pytest

from tests.stores import OwnStore
from tests.web import web_server

SWAGGER = "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"
REDOC = "/static/drf_spectacular_sidecar/redoc/bundles/redoc.standalone.js"
DEADLINE_SECONDS = 20.0


def get(base: str, path: str) -> httpx.Response:
    """On a connection of its own, so that any of the server's processes may answer."""
    return httpx.get(base + path, timeout=DEADLINE_SECONDS)


def eventually(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"never came true: {what}"
        time.sleep(0.05)


def test_a_scrape_counts_the_requests_of_all_processes(running: dict[str, str]) -> None:
    base = running["TOUR_URL"]

    def counted() -> int:
        text = get(base, "/metrics").text
        series = (
            r'seatlock_requests_total\{endpoint="/api/redoc/",method="GET",status="200"\} (\d+)'
        )
        return int(match[1]) if (match := re.search(series, text)) else 0

    before = counted()
    for _ in range(40):
        assert get(base, "/api/redoc/").status_code == 200
    assert {counted() for _ in range(10)} == {before + 40}


@pytest.mark.parametrize("path", [SWAGGER, REDOC])
def test_scripts_of_the_pages_are_ours_and_compressed(running: dict[str, str], path: str) -> None:
    with httpx.stream("GET", running["TOUR_URL"] + path) as answer:
        sent = b"".join(answer.iter_raw())
    assert answer.status_code == 200
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(sent) < len(gzip.decompress(sent)) / 2


@pytest.mark.django_db(transaction=True)
def test_ready_follows_a_store_that_goes_and_comes_back(own_redis: OwnStore) -> None:
    with web_server(REDIS_URL=own_redis.url) as web:
        assert get(web.url, "/health/ready/").status_code == 200
        own_redis.kill()
        eventually(lambda: get(web.url, "/health/ready/").status_code == 503, "not ready")
        assert get(web.url, "/health/live/").status_code == 200
        assert 'seatlock_store_up{store="postgresql"} 1.0' in get(web.url, "/metrics").text
        own_redis.start()
        eventually(lambda: get(web.url, "/health/ready/").status_code == 200, "ready again")


@pytest.mark.django_db(transaction=True)
def test_ready_without_mongodb_is_degraded_and_stays_ready(own_mongo: OwnStore) -> None:
    with web_server(MONGO_URL=own_mongo.url) as web:
        own_mongo.kill()
        eventually(
            lambda: get(web.url, "/health/ready/").json()["status"] == "degraded", "degraded"
        )
        assert get(web.url, "/health/ready/").status_code == 200

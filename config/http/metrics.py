"""`/metrics`: Prometheus text, right under several web processes.

Requests are counted and timed where they happen, in files that all processes of one server share
(`metrics_folder`); a scrape by any process adds them up. What lies in stores (live holds,
backlogs) is read at the scrape by collectors that apps above put into `FROM_STORES`. The page asks
for no token, so the stores are read at most once in `FRESH_SECONDS` a process.
"""

import os
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from threading import Lock
from typing import Final

from django.http import HttpRequest, HttpResponse
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    generate_latest,
    multiprocess,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from config.http import health
from config.http.metrics_folder import FOLDER_VARIABLE
from config.http.openapi import Operation, describe
from config.http.safe_only import safe_only
from config.stores.breaker import Event
from config.stores.watch import WATCHERS

FRESH_SECONDS: Final = 5.0
UNMATCHED: Final = "(unmatched)"
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_counted = CollectorRegistry()
REQUESTS: Final = Counter(
    "seatlock_requests", "Answered requests.", ("method", "endpoint", "status"), registry=_counted
)
REQUEST_SECONDS: Final = Histogram(
    "seatlock_request_seconds",
    "Time from the first to the last line of our own code.",
    ("method", "endpoint"),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
    registry=_counted,
)
_BREAKERS: Final = {"redis": "the holds' Redis", "postgres": "PostgreSQL"}
BREAKER_OPEN: Final = {
    store: Gauge(
        f"seatlock_{store}_breaker_open",
        f"Web processes that leave {its_name} alone, because it did not answer.",
        registry=_counted,
        multiprocess_mode="livesum",
    )
    for store, its_name in _BREAKERS.items()
}
BREAKER_EVENTS: Final = {
    store: Counter(
        f"seatlock_{store}_breaker_events",
        f"Times the breaker of {its_name} opened and closed, and calls refused without a wait.",
        ("event",),
        registry=_counted,
    )
    for store, its_name in _BREAKERS.items()
}


def watch_breaker(store: str, event: Event) -> None:
    """Told by the breakers of our stores."""
    BREAKER_EVENTS[store].labels(event.value).inc()
    if event is not Event.REFUSED:
        BREAKER_OPEN[store].set(event is Event.OPENED)


WATCHERS.append(watch_breaker)


class MetricsMiddleware:
    """Counts and times every request, by route and never by path: paths have no end."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        response = self.get_response(request)
        count_request(request, response.status_code, started)
        return response


def count_request(request: HttpRequest, status: int, started: float) -> None:
    """Count an answered request. `started`: a `time.perf_counter()` from its beginning, seconds."""
    match = request.resolver_match
    endpoint = f"/{match.route}" if match is not None else UNMATCHED
    method = request.method if request.method in _METHODS else "OTHER"
    _requests(method, endpoint, status).inc()
    _seconds(method, endpoint).observe(time.perf_counter() - started)


# Looking a child up by its labels costs more than counting; there are some hundreds of them.
_requests = lru_cache(maxsize=4096)(REQUESTS.labels)
_seconds = lru_cache(maxsize=1024)(REQUEST_SECONDS.labels)


class _StoresUp(Collector):
    """Which stores answer. Apps above have more to say about what is in them."""

    def describe(self) -> list[Metric]:
        """Nothing: a name is not worth a question to every store when the process starts."""
        return []

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("seatlock_store_up", "1 if the store answers.", labels=["store"])
        for each in health.asked.stores():
            up.add_metric([each.store], float(each.is_up))
        yield up


FROM_STORES: Final = CollectorRegistry()
FROM_STORES.register(_StoresUp())


class _Kept:
    """The text read from the stores, for a moment. One thread reads, the others wait for it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._at = float("-inf")
        self._text = b""

    def text(self) -> bytes:
        with self._lock:
            if time.monotonic() - self._at > FRESH_SECONDS:
                self._text = generate_latest(FROM_STORES)
                self._at = time.monotonic()
            return self._text

    def forget(self) -> None:
        """Read again at the next scrape (tests)."""
        self._at = float("-inf")


kept: Final = _Kept()


@safe_only
def metrics(request: HttpRequest) -> HttpResponse:
    """The numbers of all web processes, whichever of them answers."""
    del request
    registry = _counted
    if FOLDER_VARIABLE in os.environ:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return HttpResponse(generate_latest(registry) + kept.text(), content_type=CONTENT_TYPE_LATEST)


describe(
    Operation(
        method="GET",
        path="/metrics",
        name="metrics",
        tag="Health",
        summary="Counters, latencies and backlogs as Prometheus text",
        answers={200: str},
        media_type="text/plain",
        answer_examples={200: 'seatlock_store_up{store="redis"} 1.0\nseatlock_live_holds 12.0\n'},
        open_to_all=True,
    ),
)

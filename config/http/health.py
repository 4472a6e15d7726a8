"""`/health/live/`: the process is up. `/health/ready/`: it may be sent travellers.

Ready means that PostgreSQL and the holds' Redis answer. MongoDB and Celery's broker may be away
without a traveller noticing: that is `degraded`, and still 200. No token is asked for, so what a
probe costs is bounded: a process asks its stores at most once in `FRESH_SECONDS`.
"""

import time
from threading import Lock
from typing import Final, Literal

import msgspec
from django.http import HttpRequest, HttpResponse

from config.errors import StoreUnavailable
from config.http.openapi import Operation, describe
from config.http.problems import render
from config.http.safe_only import safe_only
from config.stores import redis
from config.stores.breaker import State
from config.stores.health import StoreHealth, check_stores
from config.stores.postgres import timed as postgres

FRESH_SECONDS: Final = 1.0
NEEDED: Final = ("postgresql", "redis")


class LiveBody(msgspec.Struct, frozen=True):
    status: Literal["up"] = "up"


class StoreBody(msgspec.Struct, frozen=True):
    """`latency_ms` of one empty question; null if the store did not answer."""

    is_up: bool
    latency_ms: float | None


class ReadyBody(msgspec.Struct, frozen=True):
    """`degraded`: a store is away that no traveller needs. `redis_breaker`: whether this process
    asks the holds' Redis (closed), leaves it alone (open) or tries it next (half-open);
    `postgres_breaker` the same of PostgreSQL.
    """

    status: Literal["ready", "degraded"]
    stores: dict[str, StoreBody]
    redis_breaker: State
    postgres_breaker: State


class _Asked:
    """The last answers. One thread asks, the others wait for what it hears."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._at = float("-inf")
        self._found: list[StoreHealth] = []

    def stores(self) -> list[StoreHealth]:
        with self._lock:
            if time.monotonic() - self._at > FRESH_SECONDS:
                self._found = check_stores()
                self._at = time.monotonic()
            return self._found

    def forget(self) -> None:
        """Ask again next time (tests)."""
        self._at = float("-inf")


asked = _Asked()


@safe_only
def live(request: HttpRequest) -> HttpResponse:
    """200 as long as the process serves; asks nobody."""
    del request
    return _answer(LiveBody())


@safe_only
def ready(request: HttpRequest) -> HttpResponse:
    """200 with each store's latency, or 503 naming the store that is needed and away."""
    del request
    found = asked.stores()
    stores = {each.store: StoreBody(each.is_up, each.latency_ms) for each in found}
    away = [each.store for each in found if not each.is_up]
    if missing := [name for name in NEEDED if name in away]:
        detail = f"{' and '.join(missing)} cannot be reached."
        body = {"stores": stores, **_breakers()}
        return render(StoreUnavailable(detail, **msgspec.to_builtins(body)))
    return _answer(ReadyBody("degraded" if away else "ready", stores, **_breakers()))


def _breakers() -> dict[str, State]:
    return {"redis_breaker": redis.breaker_state(), "postgres_breaker": postgres.breaker_state()}


def _answer(body: msgspec.Struct) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(body), content_type="application/json")


_READY_EXAMPLE: Final = {
    "status": "ready",
    "stores": {
        "postgresql": {"is_up": True, "latency_ms": 0.61},
        "redis": {"is_up": True, "latency_ms": 0.18},
        "broker": {"is_up": True, "latency_ms": 0.4},
        "mongodb": {"is_up": True, "latency_ms": 0.82},
    },
    "redis_breaker": "closed",
    "postgres_breaker": "closed",
}

describe(
    Operation(
        method="GET",
        path="/health/live/",
        name="live",
        tag="Health",
        summary="The process is up",
        answers={200: LiveBody},
        answer_examples={200: {"status": "up"}},
        open_to_all=True,
    ),
    Operation(
        method="GET",
        path="/health/ready/",
        name="ready",
        tag="Health",
        summary="PostgreSQL and Redis serve; each store with its latency",
        description=(
            "`degraded`, and still 200: MongoDB or Celery's broker is away, which no traveller "
            "notices. 503 carries `stores` and the breakers too."
        ),
        answers={200: ReadyBody},
        answer_examples={200: _READY_EXAMPLE},
        problems=("unavailable",),
        open_to_all=True,
    ),
)

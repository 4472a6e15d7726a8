"""Which stores answer, and how fast. For the dashboard and the readiness probe.

Each store is asked in a thread of its own, because a frozen PostgreSQL answers nothing and ends
nothing. A question that is still open when the next one is due counts as no answer, and no second
thread is started for it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Thread
from typing import Final

import pymongo
import redis
from django.conf import settings
from django.db import connection
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.stores.mongo import audit_database

ANSWER_SECONDS: Final = 2.0


@dataclass(frozen=True, kw_only=True)
class StoreHealth:
    """`latency_ms` of one empty question, None if it was not answered in ANSWER_SECONDS."""

    store: str
    is_up: bool
    latency_ms: float | None = None


class _Question:
    """One question to one store, in a thread."""

    def __init__(self, ask: Callable[[], None]) -> None:
        self._ask = ask
        self.seconds: float | None = None
        self.thread = Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        started = time.perf_counter()
        try:
            self._ask()
        except Exception:  # noqa: BLE001  # whatever it is, the store did not answer
            return
        self.seconds = time.perf_counter() - started


_open: dict[str, _Question] = {}


def check_stores() -> list[StoreHealth]:
    """Ask all stores at once; answers within ANSWER_SECONDS, whatever they do. Never raises."""
    deadline = time.monotonic() + ANSWER_SECONDS
    asked = {}
    for store, ask in _QUESTIONS.items():
        before = _open.get(store)
        if before is None or not before.thread.is_alive():
            _open[store] = asked[store] = _Question(ask)
    for question in asked.values():
        question.thread.join(max(0.0, deadline - time.monotonic()))
    return [_health(store, asked.get(store)) for store in _QUESTIONS]


def _health(store: str, question: _Question | None) -> StoreHealth:
    seconds = question.seconds if question is not None else None
    if seconds is None:
        return StoreHealth(store=store, is_up=False)
    return StoreHealth(store=store, is_up=True, latency_ms=round(seconds * 1000, 2))


def _ask_postgresql() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()


def _ask_redis() -> None:
    # Past the breaker: the probe says how the store is, not what this process thinks of it.
    _ping(settings.ENV.redis_url)


def _ask_broker() -> None:
    _ping(settings.ENV.broker_url)


def _ping(url: str) -> None:
    with redis.Redis.from_url(
        url,
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),
    ) as server:
        server.ping()


def _ask_mongodb() -> None:
    with pymongo.timeout(ANSWER_SECONDS):
        audit_database().command("ping")


_QUESTIONS: Final[dict[str, Callable[[], None]]] = {
    "postgresql": _ask_postgresql,
    "redis": _ask_redis,
    "broker": _ask_broker,
    "mongodb": _ask_mongodb,
}

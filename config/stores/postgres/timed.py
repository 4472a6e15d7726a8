"""A request does not wait for PostgreSQL for ever.

A server that is frozen, or behind a cut wire, ends nothing and refuses nothing: a statement sent
to it waits for as long as that lasts. A few such requests hold every thread of a process, and
calls that need no PostgreSQL find none. So what a request asks (`timing.is_answering`) ends:

| PostgreSQL | the request gets |
|---|---|
| no answer within DATABASE_TIMEOUT_SECONDS, to one statement or COMMIT | `NoAnswer` |
| no connection within that time | `psycopg_pool.PoolTimeout` |
| is away, as others found out | `LeftAlone`, at once |
| refuses, breaks off | what psycopg says |

It is away if it did not answer in time, and takes no new connection either: a statement may also
be long, or wait for somebody's lock. For the caller all are Django's `OperationalError`. Promise:
a connection that was given up is closed, and serves nobody again. Never says: that the statement
had no effect. It may be running still, and a COMMIT without an answer may have been one.

Celery and commands wait: their work may be long, and is in nobody's way.
"""

import logging
from collections.abc import Callable, Mapping
from functools import cache
from threading import Thread
from typing import Any, Final, TypeVar

import psycopg
from django.conf import settings
from psycopg.abc import PQGen

from config.stores import timing
from config.stores.breaker import Breaker, Limits, Pass, State
from config.stores.watch import Watch

TRY_SECONDS: Final = 0.5
"""How long a request waits to see whether PostgreSQL takes a connection; it needs 5 ms."""
_INTERVAL_SECONDS: Final = 0.1
"""How often psycopg looks for a signal while it waits; its own default."""

RV = TypeVar("RV")
E = TypeVar("E", bound=Exception)
Parameters = Mapping[str, Any]

logger = logging.getLogger(__name__)


class NoAnswer(psycopg.OperationalError):
    """PostgreSQL did not answer in time. The statement may have had its effect."""


class LeftAlone(psycopg.OperationalError):
    """PostgreSQL did not answer others; it was not asked."""


class TimedConnection(psycopg.Connection[Any]):
    """A connection whose answers do not keep a request waiting longer than it may."""

    def wait(
        self,
        gen: PQGen[RV],
        interval: float = _INTERVAL_SECONDS,
        timeout: float | None = None,
    ) -> RV:
        """psycopg's, which all that goes over the connection waits by."""
        if timeout is not None or not timing.is_answering():
            return super().wait(gen, interval, timeout)
        seconds = settings.ENV.database_timeout_seconds
        try:
            return super().wait(gen, interval, seconds)
        except psycopg.errors._WaitTimeout:  # noqa: SLF001  # the one word psycopg has for it
            where = {**self.info.get_parameters(), "password": self.info.password}
            self.pgconn.finish()
        raise suspect(NoAnswer(f"PostgreSQL did not answer within {seconds} s"), where)


def suspect(error: E, where: Parameters) -> E:
    """Nothing came in time: see whether PostgreSQL is away, and let the breaker know. The error."""
    attempt = _Attempt(where)
    attempt.make()
    if not attempt.has_connected:
        _watch().last_error = str(error)
        breaker().failed(Pass.CALL)
    return error


def is_back(where: Parameters) -> bool:
    """Make the breaker's trial. One that takes longer than TRY_SECONDS goes on without us: confirms
    that share a statement all wait for the one that asks.
    """
    _Attempt(where, _trial_is_over).make()
    return breaker_state() is State.CLOSED


def _trial_is_over(error: Exception | None) -> None:
    if error is None:
        breaker().succeeded(Pass.TRIAL)
    else:
        breaker().failed(Pass.TRIAL)


class _Attempt(Thread):
    """A connection of its own: what waits in the pool may be from before."""

    def __init__(
        self, where: Parameters, then: Callable[[Exception | None], None] = lambda _: None
    ) -> None:
        super().__init__(daemon=True)
        self._where = where
        self._then = then
        self.has_connected = False

    def make(self) -> None:
        try:
            self.start()
        except RuntimeError as error:  # there are too many threads
            self._then(error)
        else:
            self.join(TRY_SECONDS)

    def run(self) -> None:
        try:
            psycopg.connect(**self._where).close()
        except Exception as error:  # noqa: BLE001  # whatever it is, there is no connection
            self._then(error)
        else:
            self.has_connected = True
            self._then(None)


@cache
def breaker() -> Breaker:
    """Of this process."""
    rest = settings.ENV.database_breaker_seconds
    return Breaker(Limits(failures=1, open_seconds=rest), _watch())


@cache
def _watch() -> Watch:
    rest = settings.ENV.database_breaker_seconds
    return Watch(logger, store="postgres", setting="DATABASE_URL", rest_seconds=rest)


def breaker_state() -> State:
    """Of this process."""
    return breaker().state

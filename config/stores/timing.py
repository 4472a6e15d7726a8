"""How long a call to the holds' store may take, in total: connecting, sending, reading, retrying.

A traveller's request is in a hurry (`hurried`): REDIS_TIMEOUT_SECONDS for a call, and after one
call has failed the request's others fail at once, so that it waits at most once. Everything else
(Celery, commands, the request log, staff's long lists within `patiently`) has
REDIS_PATIENCE_SECONDS.

redis-py's own time-outs are for one operation of the socket each, so that connecting, a retry and
a reply in pieces add up; here all of a call share one deadline.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

import redis
from django.conf import settings
from redis.connection import Connection


class _Hurry:
    """One request: whether a call of it has failed already."""

    has_failed = False


class _Deadline(threading.local):
    """When the call this thread is making must be over, by the monotonic clock."""

    at: float | None = None


_hurry: ContextVar[_Hurry | None] = ContextVar("hurry", default=None)
_deadline = _Deadline()


@contextmanager
def hurried() -> Iterator[None]:
    """Somebody waits for the answer: calls within are short, and after a failure not made."""
    token = _hurry.set(_Hurry())
    try:
        yield
    finally:
        _hurry.reset(token)


@contextmanager
def patiently() -> Iterator[None]:
    """Within a request: calls that may be long and are worth a wait (staff's lists)."""
    token = _hurry.set(None)
    try:
        yield
    finally:
        _hurry.reset(token)


def has_waited_enough() -> bool:
    """Has a call of this request failed already?"""
    hurry = _hurry.get()
    return hurry is not None and hurry.has_failed


def say_failed() -> None:
    """A call of this request has failed: it shall wait for no other."""
    hurry = _hurry.get()
    if hurry is not None:
        hurry.has_failed = True


def allowed_seconds() -> float:
    env = settings.ENV
    hurry = _hurry.get()
    return env.redis_patience_seconds if hurry is None else env.redis_timeout_seconds


class Within:
    """All sockets this thread uses inside the `with` block must be done by then."""

    __slots__ = ("_before", "_seconds")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        self._before = _deadline.at
        _deadline.at = time.monotonic() + self._seconds

    def __exit__(self, *_: object) -> None:
        _deadline.at = self._before


def _remaining_seconds() -> float:
    if _deadline.at is None:
        return float(settings.ENV.redis_patience_seconds)
    # Not 0, which would mean "do not block" to a socket.
    return max(_deadline.at - time.monotonic(), 0.001)


class _Timed:
    """Put before a connection class of redis-py: every socket operation ends at the deadline."""

    _sock: Any

    @property
    def socket_timeout(self) -> float:
        return _remaining_seconds()

    @socket_timeout.setter
    def socket_timeout(self, value: float | None) -> None:
        """What redis-py was told is not used: the deadline is the call's."""

    @property
    def socket_connect_timeout(self) -> float:
        return _remaining_seconds()

    @socket_connect_timeout.setter
    def socket_connect_timeout(self, value: float | None) -> None:
        """As above."""

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        self._hurry_up()
        super().send_packed_command(command, check_health)  # type: ignore[misc]

    def read_response(self, *arguments: Any, **options: Any) -> Any:
        self._hurry_up()
        return super().read_response(*arguments, **options)  # type: ignore[misc]

    def _hurry_up(self) -> None:
        if _deadline.at is not None and time.monotonic() >= _deadline.at:
            self.disconnect()  # type: ignore[attr-defined]  # a reply may still come: not ours
            raise redis.TimeoutError("The time for this call is over")
        if self._sock is not None:
            self._sock.settimeout(_remaining_seconds())


@cache
def timed(connection: "type[Connection]") -> "type[Connection]":
    """The connection class (plain, TLS or unix socket) with deadlines."""
    return type(f"Timed{connection.__name__}", (_Timed, connection), {})

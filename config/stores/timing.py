"""How long a call to the holds' store may take, in total: connecting, sending, reading, retrying.
And who waits for the answer, which `config.stores.postgres.timed` wants to know too.

A traveller's request is in a hurry (`hurried`): REDIS_TIMEOUT_SECONDS for a call, and after one
call has failed the request's others fail at once, so that it waits at most once. Everything else
(Celery, commands, the request log, staff's long lists within `patiently`) has
REDIS_PATIENCE_SECONDS.

redis-py's own time-outs are for one operation of the socket each, so that connecting, a retry and
a reply in pieces add up; here all of a call share one deadline.
"""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, Final, TypeVar

import hiredis
from django.conf import settings
from redis.connection import Connection

T = TypeVar("T")

_OVER: Final = "the time for this call is over"


class _Hurry:
    """One request: whether a call of it has failed already, and whether it may take its time."""

    def __init__(self, *, is_patient: bool = False) -> None:
        self.has_failed = False
        self.is_patient = is_patient


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
    token = _hurry.set(_Hurry(is_patient=True) if is_answering() else None)
    try:
        yield
    finally:
        _hurry.reset(token)


def is_answering() -> bool:
    """Does somebody wait for the answer, in a hurry or not?"""
    return _hurry.get() is not None


def has_waited_enough() -> bool:
    """Has a call of this request failed already, which is in a hurry?"""
    hurry = _hurry.get()
    return hurry is not None and hurry.has_failed and not hurry.is_patient


def say_failed() -> None:
    """A call of this request has failed: it shall wait for no other."""
    hurry = _hurry.get()
    if hurry is not None:
        hurry.has_failed = True


def allowed_seconds() -> float:
    env = settings.ENV
    hurry = _hurry.get()
    if hurry is None or hurry.is_patient:
        return float(env.redis_patience_seconds)
    return float(env.redis_timeout_seconds)


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


def _left_seconds() -> float:
    """Below 0 if the time is over."""
    if _deadline.at is None:
        return float(settings.ENV.redis_patience_seconds)
    return _deadline.at - time.monotonic()


def _remaining_seconds() -> float:
    """Raises `TimeoutError` (the built-in one, as a socket does) when the time is over."""
    left = _left_seconds()
    if left <= 0:
        raise TimeoutError(_OVER)
    return left


class _TimedSocket:
    """A socket whose every operation ends at the deadline; an answer in pieces is many.

    What has come by then is read even later: among many threads this one may have been waiting for
    the interpreter, not for the store.
    """

    __slots__ = ("_socket",)

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected

    def sendall(self, data: bytes) -> None:
        self._socket.settimeout(_remaining_seconds())
        self._socket.sendall(data)

    def recv(self, *arguments: Any) -> bytes:
        return self._in_time(self._socket.recv, *arguments)

    def recv_into(self, *arguments: Any) -> int:
        return self._in_time(self._socket.recv_into, *arguments)

    def _in_time(self, read: Callable[..., T], *arguments: Any) -> T:
        left = _left_seconds()
        self._socket.settimeout(max(left, 0.0))
        try:
            return read(*arguments)
        except (BlockingIOError, ssl.SSLWantReadError) as nothing:
            raise TimeoutError(_OVER) from nothing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)


class _Timed:
    """Put before a connection class of redis-py: deadlines, and quick packing."""

    @property
    def socket_connect_timeout(self) -> float:
        return _remaining_seconds()

    @socket_connect_timeout.setter
    def socket_connect_timeout(self, value: float | None) -> None:
        """What redis-py was told is not used: the deadline is the call's."""

    def pack_commands(self, commands: Iterable[Sequence[Any]]) -> list[bytes]:
        """Many commands in one piece, packed in C; redis-py looks at each word in Python first."""
        return [b"".join([hiredis.pack_command(_words(command)) for command in commands])]

    def _connect(self) -> _TimedSocket:
        return _TimedSocket(super()._connect())  # type: ignore[misc]  # the connection class's


def _words(command: Sequence[Any]) -> Any:
    """redis-py names some commands by two words: `SCRIPT LOAD`."""
    name = command[0]
    if isinstance(name, str) and " " in name:
        return (*name.split(), *command[1:])
    return tuple(command)


@cache
def timed(connection: "type[Connection]") -> "type[Connection]":
    """The connection class (plain, TLS or unix socket) with deadlines."""
    return type(f"Timed{connection.__name__}", (_Timed, connection), {})

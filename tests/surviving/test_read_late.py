"""The time of a call to Redis is over: what has come by then is read all the same."""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from config.stores import timing


@pytest.fixture
def ends() -> Iterator[tuple[Any, socket.socket]]:
    """Ours, as redis-py gets it, and the server's."""
    with ExitStack() as opened:
        ours, theirs = socket.socketpair()
        opened.enter_context(ours)
        opened.enter_context(theirs)
        yield timing._TimedSocket(ours), theirs


def read(ours: Any) -> bytes:
    """A piece of the answer, as hiredis asks for it, long after the call's time."""
    buffer = bytearray(100)
    with timing.Within(0.01):
        time.sleep(0.05)  # among many threads: the interpreter was somebody else's
        return bytes(buffer[: ours.recv_into(buffer)])


def test_an_answer_that_is_there_is_read_though_the_time_is_over(
    ends: tuple[Any, socket.socket],
) -> None:
    ours, theirs = ends
    theirs.sendall(b"+OK\r\n")
    assert read(ours) == b"+OK\r\n"


def test_nobody_waits_for_an_answer_that_is_not_there(ends: tuple[Any, socket.socket]) -> None:
    started = time.monotonic()
    with pytest.raises(TimeoutError, match="time for this call is over"):
        read(ends[0])
    assert time.monotonic() - started < 1.0


def test_nothing_new_is_sent_when_the_time_is_over(ends: tuple[Any, socket.socket]) -> None:
    ours, theirs = ends
    with timing.Within(0.0), pytest.raises(TimeoutError, match="time for this call is over"):
        ours.sendall(b"PING\r\n")
    theirs.settimeout(0.0)
    with pytest.raises(BlockingIOError):
        theirs.recv(1)


def test_over_tls_too() -> None:
    """There a socket that has nothing says so in words of its own."""

    class Encrypted:
        def settimeout(self, seconds: float) -> None:
            assert seconds == 0.0

        def recv_into(self, _buffer: bytearray) -> int:
            raise ssl.SSLWantReadError

    encrypted: Any = Encrypted()
    with pytest.raises(TimeoutError, match="time for this call is over"):
        read(timing._TimedSocket(encrypted))

"""A thread's own connection to the holds' store, for what is asked most: scripts.

redis-py takes a connection out of a pool for each call, looks whether it is still alive, counts it
and puts it back; that is more work than packing, sending and reading the call (20 of 35 µs). Here
each thread keeps one connection, which sends many commands in one go. Connecting, passwords, TLS,
deadlines and errors are redis-py's.

Promises: answers belong to the commands they were asked for. A call that was broken off anywhere
leaves no connection behind that still has its answer to come. Relies on: what is asked may be
asked again, because a connection that died unnoticed shows only after sending.
"""

import os
import threading
from collections.abc import Callable, Sequence
from typing import Any

from redis.connection import ConnectionPool
from redis.exceptions import ResponseError

Command = Sequence[str | bytes | int]
Again = Callable[[], Sequence[Command]]


class Lines:
    """One connection a thread, made by the pool when it is first needed."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._own = threading.local()

    def ask(self, commands: Sequence[Command], again: Again | None = None) -> list[Any]:
        """Send them in one go; their answers, in order. What the server refuses is an answer too,
        a `ResponseError`. Raises `redis.ConnectionError`, `TimeoutError`.

        `again`: what to send, as many, where a try was lost with its connection. That one may have
        been heard, or be heard later still, behind what is sent instead of it.
        """
        connection = self._connection()
        packed = connection.pack_commands(commands)

        def lost(_error: Exception) -> None:
            nonlocal packed
            connection.disconnect()
            if again is not None:
                packed = connection.pack_commands(again())

        answers: list[Any] = connection.retry.call_with_retry(
            lambda: _exchange(connection, packed, len(commands)), lost
        )
        return answers

    def drop(self) -> None:
        """Connect anew when this thread asks next."""
        self._own.pid = None

    def _connection(self) -> Any:
        own = self._own
        if getattr(own, "pid", None) != os.getpid():  # never one that a parent process uses
            own.connection, own.pid = self._pool.make_connection(), os.getpid()
        return own.connection


def _exchange(connection: Any, packed: Any, number: int) -> list[Any]:
    try:
        connection.send_packed_command(packed)
        return [_answer(connection) for _ in range(number)]
    except BaseException:
        connection.disconnect()
        raise


def _answer(connection: Any) -> Any:
    try:
        return connection.read_response()
    except ResponseError as refused:
        return refused

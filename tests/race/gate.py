"""The test's side of the stops: who has come to which point, and the word to go on."""

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

DEADLINE_SECONDS = 30.0
OLD_ENOUGH_SECONDS = 6.0


@dataclass
class Arrival:
    """Somebody who stands at a point, in the process `pid`, until told to go on."""

    request: str
    point: str
    pid: int
    line: socket.socket


@dataclass
class Gate:
    """Listens on a socket that `tests.race.hooks` connects to from each stop."""

    path: Path
    _standing: dict[str, Arrival] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    _is_open: bool = False

    def __post_init__(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(self.path))
        self._socket.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._socket.accept()
            except OSError:
                return
            said: dict[str, Any] = json.loads(line.makefile().readline())
            if self._is_open:
                line.sendall(b"go")
                line.close()
                continue
            with self._changed:
                self._standing[said["request"]] = Arrival(**said, line=line)
                self._changed.notify_all()

    def wait(self, request: str, over: "threading.Event | None" = None) -> Arrival:
        """Until that request stands at its next point; it must not end before (`over`)."""

        def is_known() -> bool:
            return request in self._standing or (over is not None and over.is_set())

        with self._changed:
            assert self._changed.wait_for(is_known, DEADLINE_SECONDS), f"{request} did not arrive"
            assert request in self._standing, f"{request} ended without coming to its point"
            return self._standing[request]

    def tell(self, request: str, word: bytes) -> None:
        """Let it go on (`go`), or have its connection to PostgreSQL die right there (`fail`)."""
        with self._changed:
            line = self._standing.pop(request).line
        line.sendall(word)
        line.close()

    def kill(self, request: str) -> int:
        """`kill -9` the process it stands in; the pid."""
        with self._changed:
            arrival = self._standing.pop(request)
        _await_age(arrival.pid)
        os.kill(arrival.pid, signal.SIGKILL)
        arrival.line.close()
        return arrival.pid

    def ended(self) -> None:
        """Somebody's request ended: whoever waits for it looks again."""
        with self._changed:
            self._changed.notify_all()

    @contextmanager
    def wide_open(self) -> Iterator[None]:
        """Let everybody go on who still stands somewhere, or comes while this lasts."""
        with self._changed:
            self._is_open = True
            standing = list(self._standing)
        for request in standing:
            self.tell(request, b"go")
        yield
        self._is_open = False

    def close(self) -> None:
        self._socket.close()
        self.path.unlink(missing_ok=True)


def _await_age(pid: int) -> None:
    """Granian takes a process that dies within 5.5 s of its start for one that cannot start, and
    ends the server; several tests kill one after the other.
    """
    born = psutil.Process(pid).create_time()
    while time.time() - born < OLD_ENOUGH_SECONDS:
        time.sleep(0.05)

"""The real live process over the stores and the database of the test, and sockets into it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

import httpx
from websockets.sync.client import ClientConnection, connect

from config.embedded.commands import CHECKOUT, command
from config.embedded.fleet import free_ports
from tests.web import test_database_url

DEADLINE_SECONDS: Final = 30.0


@dataclass
class Live:
    """A live process; it can be killed and started again on the same port."""

    port: int
    environment: dict[str, str]
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def start(self) -> None:
        argv = command("live", self.environment)
        self.process = subprocess.Popen(argv, cwd=CHECKOUT, env=self.environment)
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            assert self.process.poll() is None, "the live process ended while it started"
            assert time.monotonic() < deadline, "the live process does not answer"
            try:
                httpx.get(f"http://127.0.0.1:{self.port}/health/live/").raise_for_status()
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(DEADLINE_SECONDS)
        self.process = None

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(DEADLINE_SECONDS)
            self.process = None

    def metrics(self) -> str:
        return httpx.get(f"http://127.0.0.1:{self.port}/metrics").text

    @contextmanager
    def watch(
        self, departure: int, *, headers: dict[str, str] | None = None, **query: Any
    ) -> Iterator["Watcher"]:
        """A socket on a departure; `query`: source, destination, stream, seq."""
        address = f"{self.url}/ws/departures/{departure}/?{urlencode(query)}"
        with connect(address, additional_headers=headers, compression=None) as socket:
            yield Watcher(socket)


@dataclass
class Watcher:
    """A client that keeps what it was told, as a page would."""

    socket: ClientConnection
    told: list[dict[str, Any]] = field(default_factory=list)
    seats: dict[str, dict[str, Any]] = field(default_factory=dict)
    seq: int = 0
    stream: str = ""

    def next(self, *kinds: str) -> dict[str, Any]:
        """The next message, of these kinds (of any that is no heartbeat, unless told)."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            text = self.socket.recv(timeout=max(0.0, deadline - time.monotonic()))
            message: dict[str, Any] = json.loads(text)
            self._take(message)
            if message["type"] in kinds or (not kinds and message["type"] != "heartbeat"):
                return message

    def until(self, seat: str, status: str) -> dict[str, Any]:
        """Read until this seat is so; its entry."""
        while self.seats.get(seat, {}).get("status") != status:
            self.next()
        return self.seats[seat]

    def status(self, seat: str) -> str:
        found: str = self.seats[seat]["status"]
        return found

    def _take(self, message: dict[str, Any]) -> None:
        """Keep the picture, and hold the order: no number is left out, none comes twice."""
        self.told.append(message)
        match message["type"]:
            case "snapshot":
                self.seats = {each["seat"]: each for each in message["seats"]}
                self.seq, self.stream = message["seq"], message["stream"]
            case "resumed":
                self.seq = message["seq"]
            case "seats":
                assert message["seq"] == self.seq + 1, (message["seq"], self.seq)
                self.seq = message["seq"]
                self.seats |= {each["seat"]: each for each in message["changes"]}
            case "heartbeat" | "stale":
                assert message["seq"] == self.seq


@contextmanager
def live_server(**settings: str) -> Iterator[Live]:
    """Start it on a free port with these settings, and end it."""
    environment = {
        **os.environ,
        "DATABASE_URL": test_database_url(),
        "LOG_LEVEL": "WARNING",
        **settings,
    }
    live = Live(free_ports().ports["LIVE_PORT"], environment)
    live.environment["LIVE_PORT"] = str(live.port)
    live.start()
    try:
        yield live
    finally:
        live.stop()


PYTHON: Final = sys.executable

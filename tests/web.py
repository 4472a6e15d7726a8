"""The real web server, as `make run` starts it, over the stores and the database of the test."""

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from django.db import connection

from config.embedded.commands import CHECKOUT, command
from config.embedded.fleet import free_ports

START_SECONDS = 120.0
RECOVERY_SECONDS = 20.0
POLL_SECONDS = 0.1


@dataclass
class Web:
    """A running server. `url` ends without a slash; `process` is granian's parent process, the
    latest one if it is `kept`; `start` makes another.
    """

    url: str
    process: "subprocess.Popen[bytes]"
    start: "Callable[[], subprocess.Popen[bytes]] | None" = None
    is_kept: bool = False

    def ready(self) -> httpx.Response:
        return httpx.get(f"{self.url}/health/ready/", timeout=30)

    def metric(self, name: str) -> float:
        """The first number of `/metrics` whose line begins so; 0 if there is none."""
        lines = httpx.get(f"{self.url}/metrics", timeout=30).text.splitlines()
        return next((float(line.split()[-1]) for line in lines if line.startswith(name)), 0.0)


def test_database_url() -> str:
    """The URL of the database this test run made, which is not the one in DATABASE_URL."""
    parts = connection.get_connection_params()
    words = {name: parts.get(name) for name in ("host", "port", "user", "password", "dbname")}
    return "postgresql://?" + "&".join(f"{k}={v}" for k, v in words.items() if v)


@contextmanager
def web_server(*, application: str = "config.wsgi:application", **settings: str) -> Iterator[Web]:
    """Start it on a free port with these settings, wait until it answers, end it."""
    port = free_ports().ports["PORT"]
    environment = {
        **os.environ,
        "DATABASE_URL": test_database_url(),
        "PORT": str(port),
        "WEB_WORKERS": "2",
        "LOG_LEVEL": "WARNING",
        **settings,
    }
    argv = [
        application if word == "config.wsgi:application" else word
        for word in command("web", environment)
    ]

    def start() -> "subprocess.Popen[bytes]":
        return subprocess.Popen(argv, cwd=CHECKOUT, env=environment, stdout=subprocess.DEVNULL)

    web = Web(f"http://127.0.0.1:{port}", start(), start)
    try:
        await_answer(web)
        yield web
    finally:
        web.process.terminate()
        web.process.wait(30)


@contextmanager
def kept(web: Web) -> Iterator[None]:
    """Start it again whenever it ends by itself, as a service manager would.

    Granian ends when one of its processes dies soon after its start, which tests that kill them
    bring about now and then.
    """
    over = threading.Event()

    def keep() -> None:
        while not over.wait(POLL_SECONDS):
            if web.process.poll() is not None and web.start is not None:
                web.process = web.start()

    keeper = threading.Thread(target=keep, daemon=True)
    web.is_kept = True
    keeper.start()
    try:
        yield
    finally:
        over.set()
        keeper.join()


def until_answered_with(call: Callable[[], httpx.Response], *statuses: int) -> httpx.Response:
    """The answer, once it has such a status; 503 is all it may be before, for RECOVERY_SECONDS."""
    deadline = time.monotonic() + RECOVERY_SECONDS
    while (answer := call()).status_code not in statuses:
        assert answer.status_code == 503, answer.text
        assert time.monotonic() < deadline
        time.sleep(POLL_SECONDS)
    return answer


def await_answer(web: Web) -> None:
    """Wait until it answers."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{web.url}/api/v1/stations/").status_code == 200:
                return
        except httpx.TransportError:
            ended = web.process.poll() is not None and not web.is_kept
            assert not ended, "the web server ended while it started"
            time.sleep(POLL_SECONDS)
    raise AssertionError(f"no answer from {web.url} within {START_SECONDS} s")

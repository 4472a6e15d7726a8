"""The real web server, as `make run` starts it, over the stores and the database of the test."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from django.db import connection

from config.embedded.commands import CHECKOUT, command
from config.embedded.fleet import free_ports

START_SECONDS = 120.0


@dataclass(frozen=True)
class Web:
    """A running server. `url` ends without a slash; `process` is granian's parent process."""

    url: str
    process: "subprocess.Popen[bytes]"


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
    process = subprocess.Popen(argv, cwd=CHECKOUT, env=environment, stdout=subprocess.DEVNULL)
    web = Web(f"http://127.0.0.1:{port}", process)
    try:
        await_answer(web)
        yield web
    finally:
        process.terminate()
        process.wait(30)


def await_answer(web: Web) -> None:
    """Wait until it answers."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert web.process.poll() is None, "the web server ended while it started"
        try:
            if httpx.get(f"{web.url}/api/v1/stations/").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"no answer from {web.url} within {START_SECONDS} s")

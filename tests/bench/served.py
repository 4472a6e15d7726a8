"""The real web server with the floor beside the product, and Celery when a run wants it."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory

from celery import Celery

from config.embedded.commands import CHECKOUT, command
from config.embedded.fleet import free_ports
from tests.web import Web, await_answer, test_database_url

PRODUCT = "config.wsgi:application"
BENCHED = "tests.bench.application:application"
# Who measures is no abuser, and the tokens of a long run live as long as the run.
SETTINGS = {"THROTTLES": "off", "LOG_LEVEL": "WARNING", "ACCESS_TOKEN_SECONDS": "86400"}
STOP_SECONDS = 30.0
CELERY_STARTS_SECONDS = 60.0
LONG_HOLDS = {"HOLD_TTL_SECONDS": "3600", "HOLD_MAX_TOTAL_SECONDS": "3600"}
"""No hold runs out while it is measured: ending it would be measured too."""


@dataclass(frozen=True)
class Served:
    """A running server; `workers` are Celery's processes by name, if any."""

    web: Web
    workers: dict[str, int]

    @property
    def roots(self) -> dict[str, int]:
        """The processes whose CPU counts, by part."""
        return {"web": self.web.process.pid, **self.workers}


@contextmanager
def served(*, celery: bool = False, settings: Mapping[str, str] | None = None) -> Iterator[Served]:
    """Start it on a free port over the database of this process; end it.

    `celery`: with worker and beat, once they are at work; to start costs them seconds of CPU.
    """
    port = free_ports().ports["PORT"]
    environment = {
        **os.environ,
        "DATABASE_URL": test_database_url(),
        "PORT": str(port),
        **SETTINGS,
        **(settings or {}),
    }
    argv = tuple(BENCHED if part == PRODUCT else part for part in command("web", environment))
    assert BENCHED in argv
    with ExitStack() as stack:
        started = stack.enter_context(_running(argv, environment))
        web = Web(f"http://127.0.0.1:{port}", started)
        await_answer(web)
        workers = {}
        if celery:
            folder = stack.enter_context(TemporaryDirectory())
            # Beat keeps a file of when it did what: not the one of a `make run` in this checkout.
            beat = (*command("beat", environment), "--schedule", f"{folder}/schedule")
            for name, words in (("worker", command("worker", environment)), ("beat", beat)):
                workers[name] = stack.enter_context(_running(words, environment)).pid
            _await_celery(environment["BROKER_URL"])
        yield Served(web, workers)


def _await_celery(broker: str) -> None:
    """Wait until beat has sent tasks and a worker has done some."""
    with Celery("bench", broker=broker, set_as_current=False) as app:

        def works() -> bool:
            told = app.control.inspect(timeout=1.0).stats() or {}
            return any(worker["total"] for worker in told.values())

        await_true("Celery works", CELERY_STARTS_SECONDS, works)


@contextmanager
def _running(
    argv: tuple[str, ...], environment: dict[str, str]
) -> "Iterator[subprocess.Popen[bytes]]":
    process = subprocess.Popen(argv, cwd=CHECKOUT, env=environment, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def await_true(what: str, seconds: float, question: Callable[[], bool]) -> float:
    """Ask again and again until the answer is yes; how many seconds that took."""
    started = time.monotonic()
    while not question():
        assert time.monotonic() - started < seconds, f"not within {seconds} s: {what}"
        time.sleep(0.05)
    return time.monotonic() - started

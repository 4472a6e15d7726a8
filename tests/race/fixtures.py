"""Fixtures of whoever lets rivals run into each other: the server, the gate, riders, time."""

import itertools
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import pytest
from django.conf import settings
from django.db import connection, connections

from config.stores.redis import holds_store
from tests.engine import Traveller
from tests.race import hooks
from tests.race.gate import DEADLINE_SECONDS, Gate
from tests.race.riders import Rider
from tests.web import Web, await_answer, kept, web_server

T = TypeVar("T")
# A busy machine may keep Redis from answering for longer than production would wait.
WAIT_SECONDS = "20"
_numbers = itertools.count(1)


@dataclass
class Running(Generic[T]):
    """Something that runs beside the test and stops where it was asked to."""

    request: str
    gate: Gate
    over: threading.Event
    future: "Future[T]"

    def reached(self) -> "Running[T]":
        """Wait until it stands at its next point."""
        self.gate.wait(self.request, self.over)
        return self

    def go(self) -> "Running[T]":
        """Let it go on from where it stands."""
        self.gate.wait(self.request, self.over)
        self.gate.tell(self.request, b"go")
        return self

    def fail(self) -> "Running[T]":
        """Let its connection to PostgreSQL die where it stands."""
        self.gate.wait(self.request, self.over)
        self.gate.tell(self.request, b"fail")
        return self

    def kill(self) -> int:
        """`kill -9` the server process it stands in."""
        self.gate.wait(self.request, self.over)
        return self.gate.kill(self.request)

    def result(self) -> T:
        return self.future.result(DEADLINE_SECONDS)


@dataclass
class Race:
    """A running server, and the means to place rivals at exact points."""

    web: Web
    gate: Gate
    make: Callable[..., Traveller]
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(320))

    def rider(self, name: str, *, is_staff: bool = False) -> Rider:
        return Rider(self.web.url, self.make(name, is_staff=is_staff))

    def riders(self, number: int) -> list[Rider]:
        return [self.rider(f"rider{n}") for n in range(number)]

    def start(
        self, call: Callable[..., T], *args: Any, stop: str = "", without: str = "", **kwargs: Any
    ) -> Running[T]:
        """Call it in a thread; it waits at the points `stop` names, and runs `without` guards."""
        request, over = f"r{next(_numbers)}", threading.Event()

        def run() -> T:
            try:
                with hooks.asking(request, stop, without):
                    return call(*args, **kwargs)
            finally:
                connections.close_all()
                over.set()
                self.gate.ended()

        return Running(request, self.gate, over, self.pool.submit(run))

    @contextmanager
    def without(self, *guards: str) -> Iterator[None]:
        """What this thread does inside runs without these guards."""
        with hooks.asking(f"r{next(_numbers)}", "", " ".join(guards)):
            yield

    def all_at_once(self, calls: Sequence[Callable[[], T]], *, without: str = "") -> list[T]:
        """Let them go at the same instant, a thread each; their results in the same order."""
        barrier = threading.Barrier(len(calls))

        def begin(call: Callable[[], T]) -> T:
            barrier.wait(DEADLINE_SECONDS)
            return call()

        running = [self.start(begin, call, without=without) for call in calls]
        return [each.result() for each in running]

    def await_waiting(self, number: int = 1) -> None:
        """Until so many PostgreSQL processes wait for a lock."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while _waiting() < number:
            assert time.monotonic() < deadline, "nobody waits for a lock of PostgreSQL"


def _waiting() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND database ="
            " (SELECT oid FROM pg_database WHERE datname = current_database())"
            " OR NOT granted AND database IS NULL"
        )
        return int(cursor.fetchone()[0])


@pytest.fixture(scope="session")
def race_gate() -> Iterator[Gate]:
    """One gate for the whole run; its address is in the environment of the servers."""
    with tempfile.TemporaryDirectory(prefix="gate") as folder:
        gate = Gate(Path(folder) / "socket")
        os.environ[hooks.GATE] = str(gate.path)
        yield gate
        del os.environ[hooks.GATE]
        gate.close()


@pytest.fixture(scope="session")
def race_web(race_gate: Gate, django_db_setup: None) -> Iterator[Web]:
    """One web server for all race tests: two processes, real stores, places to stop at."""
    waits = {f"REDIS_{name}_SECONDS": WAIT_SECONDS for name in ("TIMEOUT", "PATIENCE")}
    racing = web_server(application="tests.race.server:application", THROTTLES="off", **waits)
    with racing as web, kept(web):
        yield web


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let this process too wait for a Redis that a busy machine keeps from answering."""
    for name in ("redis_timeout_seconds", "redis_patience_seconds"):
        monkeypatch.setattr(settings.ENV, name, float(WAIT_SECONDS))
    holds_store.cache_clear()
    yield
    monkeypatch.undo()
    holds_store.cache_clear()


@pytest.fixture
def race(
    patient: None,
    race_web: Web,
    race_gate: Gate,
    make_traveller: Callable[..., Traveller],
    time_passes: object,
) -> Iterator[Race]:
    """The race of one test; whoever still stands somewhere at its end is let go."""
    with ExitStack() as stack:
        stack.enter_context(hooks.installed())
        await_answer(race_web)
        race = Race(race_web, race_gate, make_traveller)
        yield race
        with race_gate.wide_open():
            race.pool.shutdown(wait=True)

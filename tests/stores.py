"""Stores that a test owns alone, to be stopped, killed or frozen while others look on.

The stores of the whole run (`REDIS_URL` and so on) are everybody's: leave them running.
"""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.embedded.fleet import free_ports, make_fleet
from config.embedded.places import passing_places
from config.embedded.processes import ProcessSpec, log_tail, spawn
from config.embedded.stores.base import Store
from config.stores.redis import HoldsStore

DEADLINE_SECONDS = 30.0


class OwnStore:
    """One real server with data of its own, in one of three conditions: up, down, frozen."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its URL, the same one after every start. For Valkey this is database 0."""
        return next(iter(self._store.urls.values()))

    @property
    def folder(self) -> Path:
        return self._store.places.data

    def start(self) -> None:
        """Start it and wait until it takes writes."""
        assert self._process is None, "it is up"
        self._store.prepare(_run)
        self._process = spawn(self._store.spec())
        self._await(self._store.is_ready)

    def stop(self) -> None:
        """An orderly end, as an operator would make it."""
        self._end(self._store.spec().stop_signal)

    def kill(self) -> None:
        """`kill -9`: what was not on disk is gone."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """It keeps its connections and answers nobody, until `thaw`."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        self._send(signal.SIGCONT)

    def close(self) -> None:
        if self._process is not None:
            self.thaw()
            self.stop()

    def _send(self, what: signal.Signals) -> None:
        """To all its processes: PostgreSQL has one for each connection."""
        assert self._process is not None
        first = psutil.Process(self._process.pid)
        first.send_signal(what)  # stopped, it makes no more of them
        for each in first.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                each.send_signal(what)

    def _end(self, by: signal.Signals) -> None:
        assert self._process is not None, "it is down"
        self._process.send_signal(by)
        self._process.wait(DEADLINE_SECONDS)
        self._process = None

    def _await(self, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not ready():
            assert self._process is not None
            alive = self._process.poll() is None and time.monotonic() < deadline
            assert alive, log_tail(self._store.log)
            time.sleep(0.02)


@contextmanager
def own_store(setting: str) -> Iterator[OwnStore]:
    """A running store of the kind that `setting` (such as REDIS_URL) names."""
    with passing_places(prefix="own") as places:
        (store,) = [s for s in make_fleet(places, free_ports()).stores if setting in s.settings]
        own = OwnStore(store)
        own.start()
        try:
            yield own
        finally:
            own.close()


def until_answered(ask: Callable[[], object], *, seconds: float = DEADLINE_SECONDS) -> None:
    """Ask until it answers: a breaker leaves a store alone for a moment after it failed."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            ask()
        except (redis.ConnectionError, redis.TimeoutError):
            assert time.monotonic() < deadline, "the store is not asked again"
            time.sleep(0.02)
        else:
            return


def _run(spec: ProcessSpec) -> None:
    assert spawn(spec).wait(DEADLINE_SECONDS) == 0, log_tail(spec.log)


def unreachable_store() -> HoldsStore:
    """The client of a holds' store where nobody listens."""
    return HoldsStore(redis.ConnectionPool(port=1, retry=Retry(NoBackoff(), 0)))

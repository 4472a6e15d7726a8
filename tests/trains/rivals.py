"""Two transactions at chosen points, without sleeping: the second is seen waiting by PostgreSQL."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, connections

DEADLINE_SECONDS = 20.0


@dataclass
class Rival:
    """Another thread with a connection of its own; `outcome` is its result or its exception."""

    act: Callable[[], Any]
    outcome: Any = None
    backend: int = 0
    _started: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._started.wait(DEADLINE_SECONDS)

    def _run(self) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                self.backend = cursor.fetchone()[0]
            self._started.set()
            self.outcome = self.act()
        except Exception as failed:  # noqa: BLE001  # the test looks at it
            self.outcome = failed
        finally:
            connections.close_all()

    def wait_until_blocked(self) -> None:
        """Return once PostgreSQL says that the rival waits for a lock of somebody else."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < deadline:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_blocking_pids(%s)", [self.backend])
                if cursor.fetchone()[0]:
                    return
            assert self._thread is not None
            assert self._thread.is_alive(), f"the rival never waited: {self.outcome!r}"
        raise AssertionError("the rival did not come to wait")

    def finish(self) -> Any:
        assert self._thread is not None
        self._thread.join(DEADLINE_SECONDS)
        assert not self._thread.is_alive()
        return self.outcome


@contextmanager
def after_statement(holding: str, act: Callable[[], None]) -> Iterator[None]:
    """Run `act` once, right after this connection has executed a statement with `holding` in it."""
    done = False

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal done
        result = execute(sql, params, many, context)
        if holding in sql and not done:
            done = True
            act()
        return result

    with connection.execute_wrapper(wrapper):
        yield
    assert done, f"no statement with {holding!r} was executed"

"""The real PostgreSQL, a connection for each actor, one statement a step.

A statement that waits for another actor's lock does not stop the simulation: the actor waits, the
others go on, and PostgreSQL decides as it always does.
"""

import re
import select
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import psycopg
from django.db import OperationalError, connections
from django.db.backends.postgresql.base import DatabaseWrapper
from psycopg.waiting import Ready, Wait

from tests.simulator.crossing import Crossing
from tests.simulator.scheduler import Abandoned, Crashed
from trains.timetable_mark import watch

PATIENCE_SECONDS: Final = 0.01
_NOT_A_STEP: Final = re.compile(r"\s*(SET|SAVEPOINT|RELEASE|ROLLBACK)\b")
_WRITES: Final = re.compile(r"\s*(INSERT|UPDATE|DELETE|WITH)\b")
_ASKS_THE_TIME: Final = re.compile(
    r"\b(NOW|STATEMENT_TIMESTAMP|CLOCK_TIMESTAMP)\s*\(", re.IGNORECASE
)


class Postgres:
    """Connections to the test database, handed out to actors and taken back.

    `after_write` is called when something may have been committed.
    """

    def __init__(self, crossing: Crossing, free: "list[ActorsConnection]") -> None:
        self.crossing = crossing
        self.after_write: Callable[[], None] = lambda: None
        self._home = connections["default"]
        self._free = free
        for connection in free:
            connection.postgres = self

    def take(self) -> "ActorsConnection":
        return self._free.pop() if self._free else ActorsConnection(self)

    def give_back(self, connection: "ActorsConnection") -> None:
        connection.forget_the_request()
        self._free.append(connection)

    def use(self, connection: "ActorsConnection | None") -> None:
        """Make this one what `django.db.connection` stands for."""
        connections["default"] = connection or self._home

    def close(self) -> None:
        self.use(None)

    def is_blocked(self, connection: "psycopg.Connection[Any]") -> bool:
        """Does its statement wait for a lock? PostgreSQL is asked, not a clock."""
        with self._home.cursor() as cursor:
            pid = connection.info.backend_pid
            cursor.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", [pid])
            return bool(cursor.fetchone()[0])

    def wait(self, connection: "psycopg.Connection[Any]", gen: Any) -> Any:
        """Psycopg's `wait`, that lets other actors go on while a lock is waited for."""
        scheduler = self.crossing.scheduler
        try:
            wanted = next(gen)
            while True:
                ready = _poll(connection.pgconn.socket, wanted)
                if not ready and scheduler.current and self.is_blocked(connection):
                    self.crossing.say("postgres waits for a lock")
                    scheduler.wait_until(lambda: not self.is_blocked(connection))
                wanted = gen.send(ready)
        except StopIteration as end:
            return end.value


class ActorsConnection(DatabaseWrapper):
    """Django's connection of one actor: statements and COMMITs are steps, where faults strike."""

    def __init__(self, postgres: Postgres) -> None:
        home = connections["default"].settings_dict
        options = {key: value for key, value in home["OPTIONS"].items() if key != "pool"}
        super().__init__({**home, "OPTIONS": options, "CONN_MAX_AGE": None})
        self.postgres = postgres
        self._is_lost = False
        self.execute_wrappers.append(self._statement)
        watch(self)

    def get_new_connection(self, conn_params: Any) -> Any:
        connection = super().get_new_connection(conn_params)
        connection.wait = partial(self._wait, connection)
        return connection

    def _wait(self, connection: Any, gen: Any, *_: Any, **__: Any) -> Any:
        return self.postgres.wait(connection, gen)

    def init_connection_state(self) -> None:
        super().init_connection_state()
        # A crash of PostgreSQL is not simulated, so COMMIT need not wait for the disk.
        self.connection.execute("SET synchronous_commit = off")
        self.connection.execute("SET search_path = simulated, pg_catalog, public")

    def forget_the_request(self) -> None:
        """The request or task is over: what it left behind is undone."""
        if self.connection is not None:
            self.connection.rollback()
            if not self.connection.autocommit:
                self.connection.autocommit = True
        self.in_atomic_block = False
        self.savepoint_ids, self.atomic_blocks = [], []
        self.needs_rollback = self.closed_in_transaction = self._is_lost = False
        self.autocommit = True
        self.run_on_commit = []
        self.execute_wrappers[:] = [self._statement]
        watch(self)

    def _statement(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        if _NOT_A_STEP.match(sql):
            return None if "lock_timeout" in sql else execute(sql, params, many, context)
        self._raise_if_lost()

        def act() -> Any:
            self._set_clock(sql)
            answer = execute(sql, params, many, context)
            if not self.in_atomic_block and _WRITES.match(sql):
                self.postgres.after_write()
            return answer

        def late() -> Callable[[], Any] | None:
            if self.in_atomic_block or not _WRITES.match(sql):
                return None
            return partial(_run_alone, sql, params)

        return self._cross(_brief(sql), act, late)

    def _commit(self) -> None:
        self._raise_if_lost()
        commit: Any = super()._commit  # type: ignore[misc]  # its stubs leave it out

        def act() -> None:
            commit()
            self.postgres.after_write()

        def late() -> Callable[[], Any]:
            other = self.postgres.take()
            other.ensure_connection()
            self.connection, other.connection = other.connection, self.connection

            def commit() -> None:
                other.connection.commit()
                other.connection.autocommit = True
                self.postgres.give_back(other)
                self.postgres.after_write()

            return commit

        self._cross("COMMIT", act, late)

    def _cross(self, what: str, act: Callable[[], Any], late: Callable[[], Any]) -> Any:
        crossing = self.postgres.crossing
        try:
            return crossing.cross("postgres", what, act, lost=self._lose, late=late)
        except (Crashed, Abandoned):
            self.connection.rollback()  # the server sees that its client is gone
            raise

    def _raise_if_lost(self) -> None:
        if self._is_lost:
            raise OperationalError("simulated: the connection is lost")

    def _lose(self, why: str) -> Exception:
        """The connection breaks: what was not committed is undone, nothing more goes over it."""
        self._is_lost = True
        if self.connection is not None:
            self.connection.rollback()
        return OperationalError(f"simulated: {why}")

    def _set_clock(self, sql: str) -> None:
        if _ASKS_THE_TIME.search(sql):
            now = self.postgres.crossing.scheduler.clocks.postgres()
            self.connection.execute("SELECT set_config('simulated.now', %s, false)", [str(now)])


def prepare_database() -> None:
    """PostgreSQL's clock under our hand: a schema whose time functions come before its own."""
    body = "SELECT current_setting('simulated.now')::timestamptz"
    with connections["default"].cursor() as cursor:
        cursor.execute("CREATE SCHEMA IF NOT EXISTS simulated")
        for name in ("now", "statement_timestamp", "clock_timestamp"):
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION simulated.{name}() RETURNS timestamptz"
                f" LANGUAGE sql STABLE AS $$ {body} $$"
            )


def _run_alone(sql: str, params: Any) -> int:
    """A statement that arrives after its caller gave up; its errors are nobody's."""
    connection: Any = connections["default"]
    connection.ensure_connection()
    connection._set_clock(sql)
    try:
        cursor = connection.connection.execute(sql, params)
    except psycopg.Error:
        return 0
    connection.postgres.after_write()
    return int(cursor.rowcount)


def _poll(socket: int, wanted: Wait) -> Ready:
    reads = [socket] if wanted & Wait.R else []
    writes = [socket] if wanted & Wait.W else []
    readable, writable, _ = select.select(reads, writes, [], PATIENCE_SECONDS)
    ready = (Ready.R if readable else 0) | (Ready.W if writable else 0)
    return Ready(ready) if ready else Ready.NONE


def _brief(sql: str) -> str:
    words = sql.split()
    tables = re.findall(r"(?:FROM|INTO|UPDATE)\s+\"?(\w+)", sql)
    return f"{words[0]} {' '.join(dict.fromkeys(tables))}"

"""A request waits for PostgreSQL as long as it may, and not three times."""

import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext, suppress
from copy import deepcopy
from threading import Thread
from typing import Any

import psycopg
import psycopg_pool
import pytest
from django.conf import settings
from django.db import OperationalError, connections, transaction
from psycopg.conninfo import conninfo_to_dict
from pytest_django import DjangoDbBlocker

from config.stores import timing
from config.stores.breaker import State
from config.stores.postgres import timed
from config.stores.postgres.base import DatabaseWrapper
from tests.stores import OwnStore

TIMEOUT_SECONDS = 0.5
REST_SECONDS = 0.5
# What a busy machine may add.
MARGIN_SECONDS = 1.5
LONG_SECONDS = 2 * TIMEOUT_SECONDS


OWN = "own"


@pytest.fixture
def own_settings(own_postgres: OwnStore) -> dict[str, Any]:
    """Django's, of a PostgreSQL of the test's own."""
    made = deepcopy(connections["default"].settings_dict)
    known = conninfo_to_dict(own_postgres.url)
    made |= {name.upper(): known[name] for name in ("user", "password", "host", "port")}
    made["NAME"] = known["dbname"]
    made["OPTIONS"]["pool"]["timeout"] = TIMEOUT_SECONDS
    return made


@pytest.fixture(autouse=True)
def own(
    own_settings: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[None]:
    """`connections["own"]`, and a breaker that knows of nothing else."""
    monkeypatch.setattr(settings.ENV, "database_timeout_seconds", TIMEOUT_SECONDS)
    monkeypatch.setattr(settings.ENV, "database_breaker_seconds", REST_SECONDS)
    monkeypatch.setitem(connections.settings, OWN, own_settings)
    _forget_the_breaker()
    with django_db_blocker.unblock():
        yield
        connections[OWN].close()
        DatabaseWrapper(own_settings, OWN).close_pool()
    del connections[OWN]
    _forget_the_breaker()


def _forget_the_breaker() -> None:
    timed.breaker.cache_clear()
    timed._watch.cache_clear()


def ask(sql: str = "SELECT 1") -> object:
    """By this thread's connection, which goes into the pool afterwards, as a request's does."""
    try:
        return ask_and_keep(sql)
    finally:
        connections[OWN].close()


def ask_and_keep(sql: str = "SELECT 1") -> object:
    with connections[OWN].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()


def give_back() -> None:
    connections[OWN].close()


def refused() -> type[object]:
    """Why a question has no answer."""
    with pytest.raises(OperationalError) as error:
        ask()
    return type(error.value.__cause__)


def until_closed() -> None:
    """Ask until the breaker is closed again."""
    deadline = time.monotonic() + REST_SECONDS + 5
    while timed.breaker_state() is not State.CLOSED:
        assert time.monotonic() < deadline
        with suppress(OperationalError):
            assert ask() == (1,)
        time.sleep(0.02)


@pytest.mark.parametrize("who", [nullcontext, timing.patiently])
def test_a_statement_without_an_answer_ends_and_its_connection_serves_nobody_again(
    own_postgres: OwnStore, who: type[AbstractContextManager[None]]
) -> None:
    with timing.hurried(), who():
        ask_and_keep()
        raw = connections[OWN].connection
        own_postgres.freeze()
        started = time.monotonic()
        with pytest.raises(OperationalError, match="did not answer within") as error:
            ask_and_keep()
        assert TIMEOUT_SECONDS <= time.monotonic() - started < TIMEOUT_SECONDS + MARGIN_SECONDS
        assert type(error.value.__cause__) is timed.NoAnswer
        assert raw.closed
        own_postgres.thaw()
        give_back()
        until_closed()
        assert ask_and_keep() == (1,)
        assert connections[OWN].connection is not raw


def test_a_commit_without_an_answer_is_an_error_and_may_have_been_one(
    own_postgres: OwnStore,
) -> None:
    with connections[OWN].cursor() as cursor:
        cursor.execute("CREATE TABLE kept (one int)")

    @transaction.atomic(OWN)
    def write() -> None:
        ask_and_keep("INSERT INTO kept VALUES (1) RETURNING one")
        own_postgres.freeze()

    with timing.hurried(), pytest.raises(OperationalError):
        write()
    own_postgres.thaw()
    give_back()
    deadline = time.monotonic() + MARGIN_SECONDS
    while ask("SELECT count(*) FROM kept") != (1,):
        assert time.monotonic() < deadline  # the COMMIT had reached it


def test_without_the_guard_a_statement_waits_as_long_as_postgresql_does(
    own_postgres: OwnStore, own_settings: dict[str, Any]
) -> None:
    own_settings["OPTIONS"]["pool"]["connection_class"] = psycopg.Connection

    def request() -> object:
        with timing.hurried():
            return ask()

    with ThreadPoolExecutor(1) as threads:
        threads.submit(request).result(5)
        own_postgres.freeze()
        asked = threads.submit(request)
        with pytest.raises(TimeoutError):
            asked.result(TIMEOUT_SECONDS + MARGIN_SECONDS)
        own_postgres.thaw()
        assert asked.result(5) == (1,)


def test_a_wire_that_was_cut_is_noticed(own_settings: dict[str, Any]) -> None:
    """By the kernel, for whoever waits for ever: half a minute of silence, then three questions."""
    own_settings["HOST"] = "127.0.0.1"  # a socket of Unix has no wire
    ask_and_keep()
    with socket.socket(fileno=os.dup(connections[OWN].connection.pgconn.socket)) as wire:
        asked = [
            wire.getsockopt(socket.IPPROTO_TCP, option)
            for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
        ]
        assert wire.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert asked == [30, 10, 3]
        assert wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60_000


def test_what_answers_nobody_may_take_its_time() -> None:
    long = f"SELECT pg_sleep({LONG_SECONDS})::text"
    assert ask(long) == ("",)
    with timing.patiently():
        assert ask(long) == ("",)
    with timing.hurried(), pytest.raises(OperationalError):
        ask(long)


def test_a_wait_in_vain_is_no_outage_while_postgresql_takes_connections(
    own_settings: dict[str, Any],
) -> None:
    own_settings["OPTIONS"]["pool"]["max_size"] = 1
    with timing.hurried():
        with pytest.raises(OperationalError):
            ask(f"SELECT pg_sleep({LONG_SECONDS})")
        assert timed.breaker_state() is State.CLOSED
    with ThreadPoolExecutor(1) as another:
        another.submit(ask_and_keep).result(5)
        with timing.hurried():
            assert refused() is psycopg_pool.PoolTimeout
        another.submit(give_back).result(5)
    assert timed.breaker_state() is State.CLOSED


def test_after_one_wait_in_vain_nobody_waits_until_one_has_connected(
    own_postgres: OwnStore, caplog: pytest.LogCaptureFixture
) -> None:
    own_postgres.freeze()
    with timing.hurried():
        assert refused() is psycopg_pool.PoolTimeout
        started = time.monotonic()
        assert refused() is timed.LeftAlone
        assert time.monotonic() - started < TIMEOUT_SECONDS
        own_postgres.thaw()
        until_closed()
    said = [line.message for line in caplog.records if line.name == timed.__name__]
    assert len(said) == 2, said
    assert said[0].startswith("DATABASE_URL is left alone, tried every 0.5 s: couldn't get a")
    assert said[1].startswith("DATABASE_URL answers again, after ")


def test_celery_and_commands_ask_whenever_they_like(own_postgres: OwnStore) -> None:
    own_postgres.freeze()
    with timing.hurried():
        refused()
    own_postgres.thaw()
    assert timed.breaker_state() is not State.CLOSED
    assert ask() == (1,)


def test_a_trial_that_fails_lets_the_next_one_try(
    own_postgres: OwnStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []
    connect = psycopg.connect

    def count(**parameters: Any) -> Any:
        tried.append(time.monotonic())
        return connect(**parameters)

    own_postgres.stop()
    with timing.hurried():
        assert refused() is psycopg_pool.PoolTimeout
        monkeypatch.setattr(psycopg, "connect", count)
        deadline = time.monotonic() + 10
        while len(tried) < 3:
            assert time.monotonic() < deadline
            assert refused() is timed.LeftAlone
            time.sleep(0.02)
        assert tried[2] - tried[0] >= 2 * REST_SECONDS
        own_postgres.start()
        until_closed()


def test_nobody_waits_for_a_trial_that_is_not_answered(own_postgres: OwnStore) -> None:
    own_postgres.freeze()
    with timing.hurried():
        refused()
        time.sleep(REST_SECONDS)
        assert timed.breaker_state() is State.HALF_OPEN
        started = time.monotonic()
        assert [refused() for _ in range(20)] == [timed.LeftAlone] * 20  # one has tried, in vain
        assert timed.TRY_SECONDS <= time.monotonic() - started < timed.TRY_SECONDS + 1
        own_postgres.thaw()
        until_closed()


def test_a_trial_that_cannot_begin_is_over(
    own_postgres: OwnStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_postgres.freeze()
    with timing.hurried():
        refused()
        own_postgres.thaw()
        time.sleep(REST_SECONDS)
        with monkeypatch.context() as without:
            without.setattr(Thread, "start", _no_thread)
            assert refused() is timed.LeftAlone
        assert timed.breaker_state() is State.OPEN
        until_closed()


def _no_thread(_: object) -> None:
    raise RuntimeError("can't start new thread")

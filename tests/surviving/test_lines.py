"""A thread's own connection: answers belong to their questions, whatever happened before."""

import os
import threading
from typing import Any

import pytest
import redis.exceptions

from config.stores.lines import Lines
from config.stores.redis import holds_store


@pytest.fixture
def lines() -> Lines:
    holds_store().mset({"one": "1", "two": "2"})
    return Lines(holds_store().connection_pool)


def connection_of(lines: Lines) -> Any:
    return lines._connection()


def client_id(lines: Lines) -> int:
    return int(lines.ask([("CLIENT", "ID")])[0])


def test_answers_come_in_order_and_what_is_refused_is_one_of_them(lines: Lines) -> None:
    first, refused, last = lines.ask([("GET", "one"), ("INCRBY", "one", "x"), ("GET", "two")])
    assert (first, last) == (b"1", b"2")
    assert isinstance(refused, redis.exceptions.ResponseError)
    assert lines.ask([("GET", "one")]) == [b"1"]


def test_a_call_that_was_broken_off_leaves_no_answer_for_the_next(
    lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connection_of(lines)
    assert lines.ask([("GET", "one")]) == [b"1"]

    def interrupted() -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(connection, "read_response", interrupted)
        with pytest.raises(KeyboardInterrupt):
            lines.ask([("GET", "one"), ("GET", "one")])
    assert lines.ask([("GET", "two")]) == [b"2"]


def test_a_connection_that_the_server_closed_is_made_anew(lines: Lines) -> None:
    before = client_id(lines)
    holds_store().client_kill_filter(_id=str(before))
    assert lines.ask([("GET", "one")]) == [b"1"]
    assert client_id(lines) != before


def test_a_thread_has_its_own_and_keeps_it(lines: Lines) -> None:
    mine = client_id(lines)
    theirs: list[int] = []
    thread = threading.Thread(target=lambda: theirs.append(client_id(lines)))
    thread.start()
    thread.join()
    assert client_id(lines) == mine != theirs[0]


def test_a_child_process_does_not_use_its_parents(
    lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, parents = client_id(lines), connection_of(lines)
    here = os.getpid()
    with monkeypatch.context() as forked:
        forked.setattr(os, "getpid", lambda: here + 1)
        assert client_id(lines) != mine
    assert connection_of(lines) is not parents

"""The processes of a web server keep to a processor each, and who follows a dead one to its."""

import os
import signal
import time
from contextlib import suppress
from typing import Final

import psutil
import pytest

from tests.web import POLL_SECONDS, Web, web_server

ALL: Final = os.sched_getaffinity(0)
STARTS_WITHIN_SECONDS: Final = 60.0
SETTLES_WITHIN_SECONDS: Final = 2.0

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(len(ALL) < 2, reason="needs a machine of two processors"),
]


def workers(web: Web) -> dict[int, set[int]]:
    """By process id, the processors that any thread of it may use."""
    found = {}
    for each in psutil.Process(web.process.pid).children():
        with suppress(psutil.NoSuchProcess, OSError):
            threads = [os.sched_getaffinity(thread.id) for thread in each.threads()]
            if len(threads) > 1:  # else it only looks after the others
                found[each.pid] = set().union(*threads)
    return found


def await_kept(web: Web, *sizes: int, without: int = 0) -> dict[int, set[int]]:
    """The processes, once each keeps to so many."""
    deadline = time.monotonic() + STARTS_WITHIN_SECONDS
    while True:
        found = {pid: kept for pid, kept in workers(web).items() if pid != without}
        if sorted(map(len, found.values())) == list(sizes):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(POLL_SECONDS)


def test_each_keeps_to_another_and_a_successor_to_its_predecessors() -> None:
    with web_server(WEB_WORKERS="2") as web:
        before = await_kept(web, 1, 1)
        first, second = before
        assert before[first] != before[second]
        os.kill(first, signal.SIGKILL)
        after = await_kept(web, 1, 1, without=first)
        assert after.pop(second) == before[second]
        assert list(after.values()) == [before[first]]


def test_of_more_processes_than_processors_the_rest_go_where_they_are_put() -> None:
    with web_server(WEB_WORKERS=str(len(ALL) + 1)) as web:
        await_kept(web, *[1] * len(ALL), len(ALL))


def test_turned_off_they_go_where_they_are_put() -> None:
    with web_server(WEB_WORKERS="2", WEB_PIN="off") as web:
        time.sleep(SETTLES_WITHIN_SECONDS)
        assert list(await_kept(web, len(ALL), len(ALL)).values()) == [ALL, ALL]

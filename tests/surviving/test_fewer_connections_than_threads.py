"""A pool may be smaller than its process has threads: who waits for another holds nothing."""

from collections.abc import Callable, Iterator
from threading import Event, Thread
from types import ModuleType
from typing import Any

import pytest
from django.db import OperationalError, connection

from reservations.bookings import shared_commit
from reservations.bookings.insert import Verdict
from reservations.bookings.shared_commit import SharedCommit
from trains.models import Station
from users import marks
from users.services import restore_marks

pytestmark = pytest.mark.django_db(transaction=True)

SECONDS = 1.0


@pytest.fixture
def one_connection(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A pool of one, which whoever finds it empty waits for SECONDS."""
    with monkeypatch.context() as patched:
        pool = connection.settings_dict["OPTIONS"]["pool"]
        patched.setitem(pool, "max_size", 1)
        patched.setitem(pool, "timeout", SECONDS)
        _forget_the_pool()
        yield
    _forget_the_pool()


def _forget_the_pool() -> None:
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # not in the stubs


class WaitsForMarks:
    """A thread that has asked PostgreSQL something, and waits for who restores the marks."""

    guard: ModuleType = restore_marks

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(marks, "are_complete", lambda: False)
        monkeypatch.setattr(restore_marks, "restore_ended_marks", lambda: None)
        restore_marks._turn.acquire()

    def wait(self) -> None:
        restore_marks.ensure_marks()

    def end(self) -> None:
        restore_marks._turn.release()


class WaitsForTheWriter:
    """A thread that has asked PostgreSQL something, and waits for who writes its booking."""

    guard: ModuleType = shared_commit

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        told = [Verdict.BOOKED]
        monkeypatch.setattr(shared_commit, "insert_bookings", lambda _: told)
        self._shared = SharedCommit(patience_seconds=30.0)
        self._shared._somebody_writes = True

    def wait(self) -> None:
        booking: Any = object()
        self._shared.write(booking)

    def end(self) -> None:
        while not self._shared._waiting:
            pass
        self._shared._waiting[0].awake.set()


Waits = Callable[[pytest.MonkeyPatch], WaitsForMarks | WaitsForTheWriter]
WAYS = pytest.mark.parametrize("waits", [WaitsForMarks, WaitsForTheWriter])


def ask_beside(waiting: WaitsForMarks | WaitsForTheWriter) -> None:
    """Ask PostgreSQL while a thread that has asked it too waits for us."""

    def ask_and_wait() -> None:
        Station.objects.exists()
        began.set()
        waiting.wait()
        connection.close()

    began = Event()
    other = Thread(target=ask_and_wait)
    other.start()
    try:
        assert began.wait(10.0)
        Station.objects.exists()
    finally:
        waiting.end()
        other.join(10.0)
    assert not other.is_alive()


@WAYS
def test_who_waits_for_another_thread_leaves_it_the_last_connection(
    one_connection: None, monkeypatch: pytest.MonkeyPatch, waits: Waits
) -> None:
    ask_beside(waits(monkeypatch))


@WAYS
def test_without_giving_back_both_wait_until_the_time_is_over(
    one_connection: None, monkeypatch: pytest.MonkeyPatch, waits: Waits
) -> None:
    waiting = waits(monkeypatch)
    monkeypatch.setattr(waiting.guard, "give_back", lambda: None)
    with pytest.raises(OperationalError, match="couldn't get a connection"):
        ask_beside(waiting)

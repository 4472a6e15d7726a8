"""Confirms that arrive together in one process share a statement and a COMMIT.

    thread 1   insert: nobody writes, so it does ── COMMIT ─┐
    thread 2      insert: waits ......................      └─> writes for 2, 3, 4 ── COMMIT
    thread 3         insert: waits ...................          told its own verdict
    thread 4            insert: waits ................          told its own verdict

Who finds nobody writing writes at once, so a quiet server answers as before; it waits, at most
COMPANY_SECONDS, for confirms of this process that have begun and are not in line yet
(`on_the_way`). The busier it is the more share, and the less each costs PostgreSQL. Each gets the
verdict that is its own (`insert_bookings`), after its COMMIT.

A writer may be kept waiting itself, by a rival's transaction that has the same seat and has not
ended. Who is not being written yet then goes alone, after PATIENCE_SECONDS.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Condition, Event, Lock
from typing import Final

import redis.exceptions
from django.db import connection

from config.errors import StoreUnavailable
from config.stores.postgres.giving_back import give_back
from reservations.bookings.insert import (
    TOGETHER,
    NewBooking,
    Verdict,
    insert_booking,
    insert_bookings,
)
from reservations.holds.batches import settle_all
from reservations.holds.ids import HoldRef

logger = logging.getLogger(__name__)
_is_coming: ContextVar[bool] = ContextVar("is_coming", default=False)
PATIENCE_SECONDS: Final = 0.1
COMPANY_SECONDS: Final = 0.003


class _Turn:
    """One booking to be written, and what came of it.

    `awake`: it was written, or it is this one's turn to write.
    """

    __slots__ = ("awake", "booking", "outcome")

    def __init__(self, booking: NewBooking) -> None:
        self.booking = booking
        self.awake = Event()
        self.outcome: Verdict | BaseException | None = None


class SharedCommit:
    """The queue of one process. At most one of its threads writes for others at a time."""

    def __init__(self, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._patience_seconds = patience_seconds
        self._lock = Lock()
        self._all_came = Condition(self._lock)
        self._coming = 0
        self._waiting: list[_Turn] = []
        self._somebody_writes = False

    @contextmanager
    def on_the_way(self) -> Iterator[None]:
        """Around all that comes before `write`, and `write`: who writes meanwhile may wait for it.
        Left without having written, nobody waits for it any more.
        """
        with self._lock:
            self._coming += 1
        before = _is_coming.set(True)
        try:
            yield
        finally:
            self._arrive()
            _is_coming.reset(before)

    def _arrive(self) -> None:
        if _is_coming.get():
            _is_coming.set(False)
            with self._lock:
                self._coming -= 1
                if not self._coming:
                    self._all_came.notify_all()

    def write(self, booking: NewBooking) -> Verdict:
        """As `insert_booking`; inside a transaction of the caller's it is just that."""
        if connection.in_atomic_block:
            return insert_booking(booking)
        turn = self._line_up(booking)
        if not turn.awake.is_set():
            give_back()
        if not turn.awake.wait(self._patience_seconds) and self._leave(turn):
            return insert_booking(booking)
        turn.awake.wait()
        if turn.outcome is None:
            self._write_for_all()
        outcome = turn.outcome
        if isinstance(outcome, Verdict):
            return outcome
        assert outcome is not None  # noqa: S101  # who writes for all writes for itself
        raise outcome

    def _line_up(self, booking: NewBooking) -> _Turn:
        turn = _Turn(booking)
        with self._lock:
            self._waiting.append(turn)
            if not self._somebody_writes:
                self._somebody_writes = True
                turn.awake.set()
        self._arrive()
        return turn

    def _leave(self, turn: _Turn) -> bool:
        """Leave the queue, unless it is being written, or its turn has come."""
        with self._lock:
            if turn.awake.is_set() or turn not in self._waiting:
                return False
            self._waiting.remove(turn)
            return True

    def _write_for_all(self) -> None:
        """Write for all who wait, tell them, and wake the first of those who came meanwhile."""
        with self._lock:
            self._all_came.wait_for(lambda: not self._coming, COMPANY_SECONDS)
            turns, self._waiting = self._waiting[:TOGETHER], self._waiting[TOGETHER:]
        outcomes: Sequence[Verdict | BaseException] = ()
        try:
            outcomes = insert_bookings([turn.booking for turn in turns])
        except BaseException as error:  # noqa: BLE001  # raised by each whose booking it was
            outcomes = [error] * len(turns)
        with self._lock:
            self._somebody_writes = bool(self._waiting)
            if self._waiting:
                self._waiting[0].awake.set()
        try:
            if len(turns) > 1:
                outcomes = _settled([turn.booking for turn in turns], outcomes)
        finally:
            for turn, outcome in zip(turns, outcomes, strict=True):
                turn.outcome = outcome
                turn.awake.set()


def _settled(
    bookings: Sequence[NewBooking], outcomes: Sequence[Verdict | BaseException]
) -> list[Verdict | BaseException]:
    """Settle those that were booked of pinned holds. Never raises: they are booked."""
    told = list(outcomes)
    pinned = [
        at
        for at, booking in enumerate(bookings)
        if told[at] is Verdict.BOOKED and booking.deadline_ms is None
    ]
    refs = [HoldRef(bookings[at].hold, bookings[at].departure, bookings[at].owner) for at in pinned]
    try:
        settled = settle_all(refs)
    except (redis.exceptions.RedisError, StoreUnavailable):
        logger.info("%d bookings are settled one by one", len(refs), exc_info=True)
        return told
    for at, is_settled in zip(pinned, settled, strict=True):
        if is_settled:
            told[at] = Verdict.SETTLED
    return told


_shared = SharedCommit()
write_booking = _shared.write
on_the_way = _shared.on_the_way

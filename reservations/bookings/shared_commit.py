"""Confirms that arrive together in one process share a statement and a COMMIT.

    thread 1   insert: nobody writes, so it does ── COMMIT ─┐
    thread 2      insert: waits ......................      └─> writes for 2, 3, 4 ── COMMIT
    thread 3         insert: waits ...................          told its own verdict
    thread 4            insert: waits ................          told its own verdict

Nobody waits for company: who finds nobody writing writes at once, alone, so a quiet server answers
as before. The busier it is the more share, and the less each costs PostgreSQL. Each gets the
verdict that is its own (`insert_bookings`), after its COMMIT.

A writer may be kept waiting itself, by a rival's transaction that has the same seat and has not
ended. Who is not being written yet then goes alone, after PATIENCE_SECONDS.
"""

from collections.abc import Sequence
from threading import Event, Lock
from typing import Final

from django.db import connection

from reservations.bookings.insert import (
    TOGETHER,
    NewBooking,
    Verdict,
    insert_booking,
    insert_bookings,
)

PATIENCE_SECONDS: Final = 0.1


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
        self._waiting: list[_Turn] = []
        self._somebody_writes = False

    def write(self, booking: NewBooking) -> Verdict:
        """As `insert_booking`; inside a transaction of the caller's it is just that."""
        if connection.in_atomic_block:
            return insert_booking(booking)
        turn = self._line_up(booking)
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
            turns, self._waiting = self._waiting[:TOGETHER], self._waiting[TOGETHER:]
        outcomes: Sequence[Verdict | BaseException] = ()
        try:
            outcomes = insert_bookings([turn.booking for turn in turns])
        except BaseException as error:  # noqa: BLE001  # raised by each whose booking it was
            outcomes = [error] * len(turns)
        for turn, outcome in zip(turns, outcomes, strict=True):
            turn.outcome = outcome
            turn.awake.set()
        with self._lock:
            self._somebody_writes = bool(self._waiting)
            if self._waiting:
                self._waiting[0].awake.set()


write_booking = SharedCommit().write

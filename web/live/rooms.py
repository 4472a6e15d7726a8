"""A room: everybody who watches one stretch of one departure, and what they are told.

    log        [ seats 7 | seats 8 | heartbeat 8 | seats 9 ]          bounded, encoded once
    socket A                                      ^ has all           a socket is a position,
    socket B     ^ slow: dropped when the log forgets what it lacks   nothing is queued for it

`seq` grows by one with each snapshot or change; a heartbeat repeats it. A socket that comes back
with its `stream` and `seq` goes on where it was, if the log still has what it missed.
"""

import asyncio
import secrets
from collections import deque
from dataclasses import dataclass
from typing import Any, Final

from config import clock
from reservations.availability.plans import Plan, Stretch
from reservations.availability.seat_states import SeatState
from web.live.seats import Marks, all_seats, changed, encode, mark, seats

# Some 25 s of a rush in batches of 50 ms, unless it is that many seats at once.
LOG_MESSAGES: Final = 512
LOG_CHARACTERS: Final = 2_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One message of the log, encoded."""

    seq: int
    text: str
    counts: bool


class Fallen(Exception):
    """A reader lacks what the log has forgotten."""


class Room:
    """One stretch of one departure. Not for threads: lives in the event loop."""

    def __init__(self, departure: int, stretch: Stretch) -> None:
        self.departure = departure
        self.stretch = stretch
        self.stream = secrets.token_hex(8)
        self.seq = 0
        self.sockets = 0
        self.stale = False
        self._log: deque[Entry] = deque()
        self._log_characters = 0
        self._end = 0
        self._woken = asyncio.Event()
        self._plan: Plan | None = None
        self._state: SeatState | None = None
        self._marks: Marks | None = None
        self._snapshot = ""

    @property
    def end(self) -> int:
        """The position behind the last message."""
        return self._end

    def advance(self, plan: Plan, state: SeatState) -> int:
        """Take a new look in; tell what changed. How many seats that were.

        Without Redis nothing is known of holds: who watches keeps the last picture, is told that
        it is old, and gets a new one when Redis is back.
        """
        if state is self._state:
            return 0
        if state.stale and self._marks is not None and self._is_same_train(plan):
            self._state = state
            self.lose_sight()
            return 0
        marks = mark(plan, state, self.stretch)
        whole = self._marks is None or self.stale or not self._is_same_train(plan)
        differs = [] if whole or self._marks is None else changed(self._marks, marks)
        self._plan, self._state, self._marks = plan, state, marks
        self.stale = state.stale
        if whole:
            self.seq += 1
            self._snapshot = ""
            self._tell(self.snapshot())
            return len(plan.train.ordinal_of)
        if differs:
            self.seq += 1
            self._snapshot = ""
            self._tell(
                self._encoded(
                    type="seats",
                    seq=self.seq,
                    as_of=state.as_of,
                    changes=seats(plan.train, marks, differs),
                )
            )
        return len(differs)

    def lose_sight(self) -> None:
        """Tell, once, that the picture is old until the next snapshot."""
        if not self.stale:
            self.stale = True
            self._snapshot = ""
            self._tell(
                self._encoded(type="stale", seq=self.seq, server_time=clock.now()), counts=False
            )

    def beat(self) -> None:
        """Tell that nothing was missed, and the time."""
        text = self._encoded(
            type="heartbeat", seq=self.seq, server_time=clock.now(), stale=self.stale
        )
        self._tell(text, counts=False)

    def snapshot(self) -> str:
        """Everything as of `seq`, encoded once for all who come before the next change."""
        if not self._snapshot:
            plan, state, marks = self._plan, self._state, self._marks
            # A room is advanced before it is entered.
            assert plan is not None and state is not None and marks is not None  # noqa: S101, PT018
            stops = plan.train.stops
            self._snapshot = self._encoded(
                type="snapshot",
                seq=self.seq,
                stream=self.stream,
                departure=self.departure,
                source=stops[self.stretch.from_stop].code,
                destination=stops[self.stretch.to_stop].code,
                as_of=state.as_of,
                stale=self.stale,
                free=marks.free,
                seats=all_seats(plan.train, marks),
            )
        return self._snapshot

    def resumed(self, stream: str, seq: int) -> int | None:
        """The position behind message `seq` of this stream; None if the log does not reach back."""
        if stream != self.stream or not 0 < seq <= self.seq:
            return None
        if seq == self.seq:
            return self._end
        for back, entry in enumerate(reversed(self._log), start=1):
            if entry.counts and entry.seq == seq + 1:
                return self._end - back
        return None

    def welcome_back(self, seq: int) -> str:
        """The first word to a socket that goes on behind message `seq`."""
        return self._encoded(
            type="resumed", seq=seq, stream=self.stream, server_time=clock.now(), stale=self.stale
        )

    async def next(self, position: int) -> str:
        """The message at a position, when there is one. Raises `Fallen`."""
        while position == self._end:
            await self._woken.wait()
        first = self._end - len(self._log)
        if position < first:
            raise Fallen
        return self._log[position - first].text

    def _is_same_train(self, plan: Plan) -> bool:
        return self._plan is not None and self._plan.train is plan.train

    def _tell(self, text: str, *, counts: bool = True) -> None:
        self._log.append(Entry(self.seq, text, counts))
        self._log_characters += len(text)
        self._end += 1
        while len(self._log) > LOG_MESSAGES or self._log_characters > LOG_CHARACTERS:
            self._log_characters -= len(self._log.popleft().text)
        woken, self._woken = self._woken, asyncio.Event()
        woken.set()

    @staticmethod
    def _encoded(**message: Any) -> str:
        return encode(message).decode()

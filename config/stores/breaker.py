"""A circuit breaker: whoever needs a store that does not answer is told so without waiting.

                    N failures in a row                       open_seconds later
    CLOSED: calls pass ──────────────> OPEN: refused at once ──────────────> HALF_OPEN
       ^                                 ^                                      |
       |                                 └────────── the trial fails ───────────┤ one trial, all
       └──────────────────────────────────────── the trial succeeds ────────────┘ others refused

Promises: at most one trial at a time, however many threads; a state that ends by itself. Relies
on a monotonic clock. Never does: hold its lock while a call runs, so that calls wait for the
store, not for each other. (Why not a library: docs/adr/a-breaker-of-our-own.md.)
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from threading import Lock


class State(Enum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Event(Enum):
    """What watchers are told: the breaker opened, closed, or refused a call."""

    OPENED = "opened"
    CLOSED = "closed"
    REFUSED = "refused"


class Pass(Enum):
    """The breaker's answer to whoever wants to call: go on, go on as the trial, do not."""

    CALL = "call"
    TRIAL = "trial"
    NO = "no"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """`failures` in a row open it; after `open_seconds` one call may try."""

    failures: int
    open_seconds: float


class Breaker:
    """One breaker for one store in one process; every method may be called by any thread."""

    def __init__(
        self,
        limits: Limits,
        watch: Callable[[Event], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits
        self._watch = watch
        self._clock = clock
        self._lock = Lock()
        self._failures = 0
        self._opened_at: float | None = None
        self._trial_goes_on = False

    @property
    def state(self) -> State:
        with self._lock:
            if self._opened_at is None:
                return State.CLOSED
            return State.HALF_OPEN if self._is_due() else State.OPEN

    def ask(self) -> Pass:
        """May I call? After CALL or TRIAL, tell how it went: `succeeded` or `failed`."""
        if self._opened_at is None:  # no lock: at worst one more call learns that it is open
            return Pass.CALL
        with self._lock:
            if self._opened_at is None:
                return Pass.CALL
            if self._is_due() and not self._trial_goes_on:
                self._trial_goes_on = True
                return Pass.TRIAL
        self._watch(Event.REFUSED)
        return Pass.NO

    def succeeded(self, passed: Pass) -> None:
        """The store answered. Only the trial closes an open breaker: a slow answer to a call that
        began before the breaker opened says nothing of now.
        """
        if passed is Pass.CALL:
            if self._failures:
                with self._lock:
                    self._failures = 0
            return
        with self._lock:
            self._failures = 0
            self._opened_at = None
            self._trial_goes_on = False
        self._watch(Event.CLOSED)

    def failed(self, passed: Pass) -> None:
        """The store did not answer, or whoever tried was interrupted."""
        with self._lock:
            if passed is Pass.TRIAL:
                self._trial_goes_on = False
                self._opened_at = self._clock()
                return
            self._failures += 1
            if self._opened_at is not None or self._failures < self._limits.failures:
                return
            self._opened_at = self._clock()
        self._watch(Event.OPENED)

    def _is_due(self) -> bool:
        opened_at = self._opened_at
        return opened_at is not None and self._clock() - opened_at >= self._limits.open_seconds

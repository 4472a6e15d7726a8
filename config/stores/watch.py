"""What the breaker of a store does, said: in the log once, and to whoever counts."""

import logging
import time
from collections.abc import Callable
from typing import Final

from config.stores.breaker import Event

Watcher = Callable[[str, Event], None]

WATCHERS: Final[list[Watcher]] = []
"""Metrics and the like; told the store's name, after the state has changed."""


class Watch:
    """What a `Breaker` is given to tell.

    `store`: its name for WATCHERS. `setting`: its name for the log. `rest_seconds`: how long an
    open breaker lets nobody try. `last_error`: why a call failed, kept by the one who calls.
    """

    def __init__(
        self, logger: logging.Logger, *, store: str, setting: str, rest_seconds: float
    ) -> None:
        self._logger = logger
        self._store = store
        self._setting = setting
        self._rest_seconds = rest_seconds
        self._opened_at = time.monotonic()
        self.last_error = ""

    def __call__(self, event: Event) -> None:
        if event is Event.OPENED:
            self._opened_at = time.monotonic()
            words = "%s is left alone, tried every %s s: %s"
            self._logger.warning(words, self._setting, self._rest_seconds, self.last_error)
        elif event is Event.CLOSED:
            seconds = time.monotonic() - self._opened_at
            self._logger.warning("%s answers again, after %.1f s", self._setting, seconds)
        for watcher in WATCHERS:
            watcher(self._store, event)

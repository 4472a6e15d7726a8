"""An outage of a store that requests survive: said once when it begins, once when it ends."""

import logging
import time


class Outage:
    """One store, as one process sees it.

    `lost`: what goes on without the store, for the log. `rest_seconds`: how long `is_resting`
    says to leave it alone after a failure, so that requests do not each wait for its time-out.
    """

    def __init__(
        self, logger: logging.Logger, *, lost: str, back: str, rest_seconds: float = 0.0
    ) -> None:
        self._logger = logger
        self._lost = lost
        self._back = back
        self._rest_seconds = rest_seconds
        self._resting_until = 0.0
        self._goes_on = False

    @property
    def is_resting(self) -> bool:
        return time.monotonic() < self._resting_until

    def failed(self, error: Exception) -> None:
        self._resting_until = time.monotonic() + self._rest_seconds
        if not self._goes_on:
            self._logger.warning("%s: %s", self._lost, error)
        self._goes_on = True

    def answered(self) -> None:
        """Call it after every success; it costs next to nothing."""
        if self._goes_on:
            self._logger.warning("%s", self._back)
            self._goes_on = False

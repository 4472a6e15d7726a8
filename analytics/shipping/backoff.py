"""When to try a store again that has just failed: after 1, 2, 4, … seconds, at most CAP_SECONDS.

Each process keeps its own count. It needs no store, of which one has just failed.
"""

import random
import time
from typing import Final

FIRST_SECONDS: Final = 1.0
CAP_SECONDS: Final = 30.0


class Backoff:
    """The patience with one store."""

    def __init__(self) -> None:
        self._failures = 0
        self._until = 0.0

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self._until

    def failed(self) -> float:
        """Wait longer than last time; return the wait in seconds, up to a fifth of it random."""
        full_seconds = min(FIRST_SECONDS * 2.0**self._failures, CAP_SECONDS)
        wait_seconds: float = full_seconds * random.uniform(0.8, 1.0)  # noqa: S311  # spreads retries, no secret
        self._failures = min(self._failures + 1, 10)
        self._until = time.monotonic() + wait_seconds
        return wait_seconds

    def succeeded(self) -> None:
        self._failures = 0
        self._until = 0.0

"""Ask until it is so, or say what is not."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

from tests.tour.doors import TourFailed

T = TypeVar("T")
PATIENCE_SECONDS: Final = 30.0
POLL_SECONDS: Final = 0.2


def awaited(ask: Callable[[], T | None], what: str) -> T:
    """Workers act about once a second: ask until there is an answer."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if (found := ask()) is not None:
            return found
        time.sleep(POLL_SECONDS)
    raise TourFailed(f"not within {PATIENCE_SECONDS:.0f} s: {what}")


def expect(so: bool, what: str) -> None:
    if not so:
        raise TourFailed(f"expected {what}")

"""The one clock of the Python side.

Holds are judged by the clock of Redis, inside its scripts; this clock serves everything that is
true in PostgreSQL: whether a train has left, when a sale opens, when a booking was made. Tests
move it by an offset instead of patching `datetime`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

_offset = timedelta(0)


def now() -> datetime:
    """The present moment in UTC, plus the offset a test may have set."""
    return datetime.now(UTC) + _offset


@contextmanager
def moved(by: timedelta) -> Iterator[None]:
    """Move this process's clock for the length of a `with` block (tests, simulator)."""
    global _offset  # noqa: PLW0603  # the clock is the one deliberate global
    before = _offset
    _offset = before + by
    try:
        yield
    finally:
        _offset = before

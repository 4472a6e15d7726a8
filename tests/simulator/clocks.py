"""Virtual time: true time, and what the clocks of Redis, of the processes and of PostgreSQL show.

Only the scheduler moves true time. A fault may set one clock forward or back; the others stay.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

SECOND: Final = 1_000_000
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
BEGIN: Final = datetime(2031, 5, 4, 6, 0, tzinfo=UTC)
CLOCKS: Final = ("redis", "process", "postgres")


class Clocks:
    """All times in microseconds since the epoch."""

    def __init__(self) -> None:
        self.true = int((BEGIN - EPOCH).total_seconds()) * SECOND
        self.offsets = dict.fromkeys(CLOCKS, 0)

    def redis(self) -> int:
        return self.true + self.offsets["redis"]

    def process(self) -> datetime:
        """What `config.clock.now` says."""
        return EPOCH + timedelta(microseconds=self.true + self.offsets["process"])

    def postgres(self) -> datetime:
        return EPOCH + timedelta(microseconds=self.true + self.offsets["postgres"])

    def monotonic(self) -> float:
        """Seconds that never go back: for rests after a failure."""
        return self.true / SECOND

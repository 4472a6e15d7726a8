"""What is excused, and only where the documents say so.

P2 sleeps when Redis loses its memory or goes back to an older one, and the facts that were not
shipped then are gone. It also sleeps for the seats of a hold that was confirmed by its capability
while Redis could not be asked. Fences go back only if the clock of Redis did as well.
"""

from tests.simulator.clocks import Clocks


class Losses:
    """What happened to the memory and the clock of Redis so far."""

    def __init__(self, clocks: Clocks) -> None:
        self._clocks = clocks
        self._highest_time = 0
        self.lost_memory = False
        self.clock_went_back = False
        self.redis_was_away = False
        self.lost_facts: set[str] = set()

    def look_at_clock(self) -> None:
        now = self._clocks.redis()
        self.clock_went_back |= now < self._highest_time
        self._highest_time = max(self._highest_time, now)

    def memory_is_lost(self, facts_not_shipped: set[str]) -> None:
        self.lost_memory = True
        self.lost_facts |= facts_not_shipped

"""What goes wrong, where, and how often: decided by the seed, counted as it happens."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Final


class Fault(StrEnum):
    """What may happen to one call to a store."""

    REFUSED = "no effect, the caller gets a time-out"
    LOST_REPLY = "the effect happens, the caller gets a time-out"
    LATE = "the caller gets a time-out, the effect comes later"
    CRASH_BEFORE = "the caller dies before the call"
    CRASH_AFTER = "the caller dies after the effect"


class Event(StrEnum):
    """What may happen between two steps, or to a whole task or request."""

    FLUSH = "Redis loses its memory"
    FAILOVER = "Redis goes back to an older memory"
    RESTART = "Redis restarts with its memory"
    REDIS_AWAY = "Redis cannot be reached for a while"
    POSTGRES_AWAY = "PostgreSQL cannot be reached for a while"
    IMAGE_LOST = "an operator deletes a seat image"
    REDIS_FORWARD = "the clock of Redis jumps forward"
    REDIS_BACK = "the clock of Redis jumps back"
    PROCESS_FORWARD = "the clock of the processes jumps forward"
    PROCESS_BACK = "the clock of the processes jumps back"
    POSTGRES_FORWARD = "the clock of PostgreSQL jumps forward"
    POSTGRES_BACK = "the clock of PostgreSQL jumps back"
    TASK_TWICE = "a task is delivered twice and runs beside itself"
    REQUEST_TWICE = "a request is sent again beside itself"


CLOCK_EVENTS: Final = {
    Event.REDIS_FORWARD: ("redis", 1),
    Event.REDIS_BACK: ("redis", -1),
    Event.PROCESS_FORWARD: ("process", 1),
    Event.PROCESS_BACK: ("process", -1),
    Event.POSTGRES_FORWARD: ("postgres", 1),
    Event.POSTGRES_BACK: ("postgres", -1),
}
MEMORY_LOST: Final = (Event.FLUSH, Event.FAILOVER)
STORES: Final = ("redis", "postgres", "mongo")
JUMPS_SECONDS: Final = (0.05, 1.0, 31.0, 179.0, 1_000.0)


@dataclass
class Faults:
    """One seed's plan. `rates`: chance of a fault per call; `events`: chance per step.

    Half of all seeds lose no memory of Redis, so that P2 is held to its full words; and each seed
    leaves some kinds out, so that no fault always hides what another would show.
    """

    chance: Random
    rates: dict[tuple[str, Fault], float] = field(default_factory=dict)
    events: dict[Event, float] = field(default_factory=dict)
    counted: Counter[str] = field(default_factory=Counter)
    is_over: bool = False

    @classmethod
    def planned(cls, chance: Random) -> "Faults":
        plan = cls(chance)
        for store in STORES:
            for fault in Fault:
                if chance.random() < 0.5:
                    rare = 10 if store == "mongo" else 1  # it is asked ten times less often
                    plan.rates[store, fault] = rare * chance.choice((0.004, 0.01, 0.04))
        loses_memory = chance.random() < 0.5
        for event in Event:
            if event in {Event.TASK_TWICE, Event.REQUEST_TWICE}:
                plan.events[event] = chance.choice((0.0, 0.05, 0.2))
            elif event in MEMORY_LOST:
                if loses_memory and chance.random() < 0.6:
                    plan.events[event] = chance.choice((0.001, 0.005))
            elif chance.random() < 0.3:
                plan.events[event] = chance.choice((0.001, 0.004))
        return plan

    def at_call(self, store: str) -> Fault | None:
        """What happens to this call, if anything."""
        if self.is_over:
            return None
        for fault in Fault:
            rate = self.rates.get((store, fault))
            if rate and self.chance.random() < rate:
                return fault
        return None

    def happens(self, event: Event) -> bool:
        """Whether this happens now."""
        rate = self.events.get(event, 0.0)
        return not self.is_over and rate > 0 and self.chance.random() < rate

    def count(self, what: str) -> None:
        self.counted[what] += 1


def all_kinds() -> list[str]:
    """Every kind of fault by the name it is counted under; each must happen in a batch."""
    return [f"{store}: {fault}" for store in STORES for fault in Fault] + [str(e) for e in Event]

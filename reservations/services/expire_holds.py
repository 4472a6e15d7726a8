"""The sweep: end what ran out, so that memory and indexes stay small.

Nothing depends on it: expiry is judged on read by every script (P7). Bounded, safe to run late,
twice or beside itself.
"""

from dataclasses import dataclass
from typing import Final

from reservations.holds import store
from reservations.services.resolve_pin import resolve_pin

DEPARTURES_PER_SHARD: Final = 32
# Redis runs what one client sent in one go, and everybody else waits that long.
TOGETHER: Final = 4
ROUNDS: Final = 1_600


@dataclass(frozen=True)
class Swept:
    """What one sweep did: departures visited (with repeats), pins that were resolved."""

    departures: int
    pins: int


def expire_holds() -> Swept:
    """Visit every departure in which something ran out, at most ROUNDS rounds of the index."""
    visited = pins = 0
    for _ in range(ROUNDS):
        due = store.departures_due(DEPARTURES_PER_SHARD)
        if not due:
            break
        for at in range(0, len(due), TOGETHER):
            for _more, overdue in store.reap(due[at : at + TOGETHER]).values():
                for hold in overdue:
                    resolve_pin(hold)
                    pins += 1
        visited += len(due)
    return Swept(visited, pins)

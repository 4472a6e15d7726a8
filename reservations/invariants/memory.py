"""Which departures Redis knows anything of: asked of the keyspace, not of the indexes."""

from config.stores import keys
from config.stores.redis import holds_store
from reservations.invariants.judging import Scope

SCAN_SIZE = 1_000


def departures_in_memory(scope: Scope) -> list[int]:
    """The departures to look at: those of the scope, or all that have an image or holds.

    Walks over all keys in many small steps, so that a hold no index knows is found as well.
    """
    if scope.departures is not None:
        return list(scope.departures)
    found = {
        departure
        for key in holds_store().scan_iter(count=SCAN_SIZE)
        if (departure := keys.departure_in(key, "live", "confirming", "image")) is not None
    }
    return sorted(found)

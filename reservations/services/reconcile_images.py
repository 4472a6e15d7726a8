"""Ask PostgreSQL again, now and then, whether the loaded images are right; drop those that ended.

All of them are asked when Redis has a new `run_id`: it may have come back with an older memory
(AOF every second), and the marks of ended logins may be missing too.
"""

from dataclasses import dataclass
from typing import Final

from config import clock
from config.stores import keys
from config.stores.redis import as_bytes, holds_store
from reservations.availability.plans import read_again
from reservations.holds import store
from reservations.holds.scripts import Outcome
from reservations.services.refresh_image import refresh_departure
from users.services import restore_ended_marks

PER_SHARD: Final = 8
EVERY_MS: Final = 10 * 60 * 1000


@dataclass(frozen=True)
class Reconciled:
    """Images asked again, images dropped, and whether Redis was found restarted."""

    refreshed: int
    dropped: int
    restarted: bool


def reconcile_images() -> Reconciled:
    """Refresh the images not asked for ten minutes, a bounded number; all after a restart."""
    run_id = holds_store().info("server")["run_id"]
    known = as_bytes(holds_store().hget(keys.LAYOUT, "run_id"))
    restarted = known is None or known.decode() != run_id
    now_ms = store.redis_now_ms()
    if restarted:
        restore_ended_marks()
        departures = store.images_loaded(1_000_000, before_ms=now_ms)
    else:
        departures = store.images_loaded(PER_SHARD, before_ms=now_ms - EVERY_MS)
    refreshed, dropped = _ask_again(departures)
    if restarted:
        holds_store().hset(keys.LAYOUT, "run_id", run_id)
    return Reconciled(refreshed, dropped, restarted)


def _ask_again(departures: list[int]) -> tuple[int, int]:
    plans = read_again(departures)
    refreshed = dropped = 0
    for departure in departures:
        plan = plans.get(departure)
        if plan is None or plan.ends_at < clock.now():
            dropped += store.drop_image(departure) is Outcome.DROPPED
        else:
            refresh_departure(departure=departure)
            refreshed += 1
    return refreshed, dropped

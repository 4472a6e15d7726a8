"""Ask PostgreSQL again, now and then, whether the loaded images are right; drop those that ended.

All of them are asked when Redis has a new `run_id`, which is looked at every SWEEP_EVERY_SECONDS:
it may have come back with an older memory (AOF every second), and the marks of ended logins may be
missing too.
"""

import logging
from dataclasses import dataclass
from typing import Final

from config import clock
from config.stores import keys
from config.stores.leases import one_at_a_time
from config.stores.redis import holds_store
from reservations.availability.plans import read_again
from reservations.holds import store
from reservations.holds.scripts import Outcome
from reservations.services.refresh_image import refresh_departure
from trains.timetable_mark import move_mark
from users.services import restore_ended_marks

logger = logging.getLogger(__name__)

PER_SHARD: Final = 8
LEASE_SECONDS: Final = 60.0
EVERY_MS: Final = 10 * 60 * 1000
ALL: Final = 1_000_000


@dataclass(frozen=True)
class Reconciled:
    """Images asked again, images dropped, and whether Redis was found restarted."""

    refreshed: int
    dropped: int
    restarted: bool


def reconcile_images() -> Reconciled:
    """Refresh the images not asked for ten minutes, a bounded number; all after a restart."""
    noticed = notice_restart()
    if noticed is not None:
        return noticed
    departures = store.images_loaded(PER_SHARD, before_ms=store.redis_now_ms() - EVERY_MS)
    refreshed, dropped = _ask_again(departures)
    return Reconciled(refreshed, dropped, restarted=False)


def notice_restart() -> Reconciled | None:
    """Ask all images again if Redis is not the process it was; None if it is, or if another
    process is at it. One round trip when all is well.

    The new `run_id` is written down at the end, so that work cut short is begun again.
    """
    run_id = _new_run_id()
    if run_id is None:
        return None
    with one_at_a_time(keys.RECONCILE_LEASE, seconds=LEASE_SECONDS) as is_ours:
        if not is_ours:
            return None
        restore_ended_marks()
        move_mark()  # it may have come back with an older one
        departures = store.images_loaded(ALL, before_ms=store.redis_now_ms())
        refreshed, dropped = _ask_again(departures)
        holds_store().hset(keys.LAYOUT, "run_id", run_id)
    logger.warning("REDIS_URL was restarted or emptied: %s images were asked again", refreshed)
    return Reconciled(refreshed, dropped, restarted=True)


def _new_run_id() -> str | None:
    """The server's `run_id`, if it is not the one that was written down."""
    pipe = holds_store().pipeline(transaction=False)
    pipe.info("server")
    pipe.hget(keys.LAYOUT, "run_id")
    server, known = pipe.execute()
    run_id: str = server["run_id"]
    return None if known is not None and known.decode() == run_id else run_id


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

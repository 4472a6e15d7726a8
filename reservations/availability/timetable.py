"""Search: which departures run from here to there on a day, from memory, and what is free now.

    search                     this process's memory        Redis           PostgreSQL
      | departures of that day? ----->|                       |                 |
      | free seats of those of this page, and the timetable's mark? --->|       |
      |     the mark they were read under: done               |                 |
      |     another, or not in memory: read the mark, then ------------------->|

So a search whose answer is in memory costs one round trip and no query, and shows what staff
changed as soon as their change has been announced (`trains.timetable_mark`). In memory are all
departures of that local day, open ones; which of them may still be bought is judged by the clock.

Never used inside a transaction, whose changes nobody else may see, and not without Redis, which
keeps the mark. What is older than `SECONDS_KEPT` is read again anyhow, if PostgreSQL is there: for
a change that was committed and never announced.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

import redis.exceptions
from django.db import OperationalError, connection

from config import clock
from reservations.availability.find_departures import (
    Found,
    Journey,
    Query,
    Terminus,
    check_any,
    check_day,
    find_departures,
    query,
    termini,
)
from reservations.availability.free_now import FreeSeats, Run, forget_images, free_now, free_under
from reservations.availability.memory import BoundedMemory
from reservations.holds.looks import timetable_mark

SECONDS_KEPT: Final = 300.0
# A row takes some 100 bytes, its plan aside, which other memories bound.
DAYS_KEPT: Final = 8_192
# What has more is asked of PostgreSQL, page by page.
ROWS_MAX: Final = 100
_EVER: Final = datetime.max.replace(tzinfo=UTC)
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Day:
    """All open departures between two stations on a day, read under a mark of the timetable.

    `times`: of each, when it leaves, and when its sale opens.
    """

    mark: bytes
    read_at: float
    source: Terminus
    destination: Terminus
    runs: Sequence[Run]
    times: Sequence[tuple[datetime, datetime]]


_Key = tuple[str, str, date]
_days: BoundedMemory[_Key, _Day] = BoundedMemory(DAYS_KEPT)


def search(journey: Journey, *, limit: int, offset: int) -> tuple[Found, FreeSeats]:
    """A page of the departures found, by time of boarding, and what is free on each of them.

    Raises as `find_departures` does.
    """
    if connection.in_atomic_block:
        return _from_rows(journey, limit, offset)
    key = (journey.source, journey.destination, journey.day)
    day = _days.get(key)
    if day is None or time.monotonic() - day.read_at > SECONDS_KEPT:
        day = _read_again(key, journey, day)
    for _ in range(2):
        if day is None:
            break
        found = _page(day, journey, limit, offset)
        free = free_under(day.mark, found.runs)
        if free is not None:
            check_any(found.count, journey.day, day.source, clock.now())
            return found, free
        day = _read(key, journey)
    return _from_rows(journey, limit, offset)


def forget_days() -> None:
    """Empty this process's memory of searches."""
    _days.clear()
    forget_images()


def _from_rows(journey: Journey, limit: int, offset: int) -> tuple[Found, FreeSeats]:
    found = find_departures(journey, limit=limit, offset=offset)
    return found, free_now(found.runs)


def _read_again(key: _Key, journey: Journey, old: _Day | None) -> _Day | None:
    """As `_read`; the old one while PostgreSQL is away, for its mark says what was announced."""
    try:
        return _read(key, journey)
    except OperationalError:
        if old is None:
            raise
        return old


def _read(key: _Key, journey: Journey) -> _Day | None:
    """Read a day, and keep it; None if it cannot be kept. Raises as `find_departures` does."""
    try:
        mark = timetable_mark()  # before the rows: a change in between shows as another mark
    except redis.exceptions.RedisError:
        return None
    source, destination = termini(journey)
    check_day(journey.day, source, clock.now())
    if mark is None:
        return None
    found = query(
        source,
        destination,
        Query(
            day=journey.day,
            travel_class=None,
            leaves_after=_NEVER,
            opened_by=_EVER,
            limit=ROWS_MAX,
            offset=0,
        ),
    )
    if found.count > ROWS_MAX:
        return None
    times = [(plan.boards_at(stretch), plan.sale_opens_at) for plan, stretch in found.runs]
    day = _Day(mark, time.monotonic(), source, destination, found.runs, times)
    _days.put(key, day)
    return day


def _page(day: _Day, journey: Journey, limit: int, offset: int) -> Found:
    """What `find_departures` would find. Raises `NotOnSale` for a day that is over by now."""
    now = clock.now()
    check_day(journey.day, day.source, now)
    wanted = journey.travel_class
    runs = [
        run
        for run, (leaves, opens) in zip(day.runs, day.times, strict=True)
        if opens <= now < leaves and (wanted is None or wanted in run[0].train.class_names)
    ]
    return Found(
        source=day.source,
        destination=day.destination,
        count=len(runs),
        runs=runs[offset : offset + limit],
    )

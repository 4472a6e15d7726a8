"""Write the matched trains: rows, stops, and the days they run.

Works on what `timetable` and `matching` staged. Trains whose stops change are in nobody's hands
(see `matching`); those the feed no longer has keep their rows and stops, but run on no day.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from trains.gtfs.in_use import trains_in_use
from trains.gtfs.report import Remarks, Tally
from trains.models import Feed

_INSERT_TRAINS: Final = """
INSERT INTO trains_train (number, name, mode, timezone, feed_id, feed_number, revision)
SELECT number, name, mode, timezone, %(feed)s, feed_number, 1
  FROM gtfs_train WHERE fate = 'new' ORDER BY id
"""
_FIND_NEW: Final = """
UPDATE gtfs_train wanted SET train_id = t.id
  FROM trains_train t WHERE wanted.fate = 'new' AND t.number = wanted.number
"""
_UPDATE_TRAINS: Final = """
UPDATE trains_train t
   SET name = wanted.name, mode = wanted.mode, timezone = wanted.timezone,
       revision = t.revision + 1
  FROM gtfs_train wanted
 WHERE wanted.train_id = t.id AND wanted.fate <> 'new'
   AND (wanted.fate = 'changed' OR (t.name, t.mode) IS DISTINCT FROM (wanted.name, wanted.mode))
RETURNING t.id
"""
_DELETE_STOPS: Final = """
DELETE FROM trains_stop WHERE train_id IN (SELECT train_id FROM gtfs_train WHERE fate = 'changed')
"""
_INSERT_STOPS: Final = """
INSERT INTO trains_stop (train_id, sequence, station_id, arrival_seconds, departure_seconds,
                         distance_km, pickup, drop_off)
SELECT wanted.train_id, c.sequence, c.station_id, c.arrival, c.departure, c.distance_km,
       c.pickup, c.drop_off
  FROM gtfs_call c JOIN gtfs_train wanted ON wanted.id = c.run_id
 WHERE wanted.fate IN ('new', 'changed')
 ORDER BY wanted.train_id, c.sequence
"""
_MEASURED_ANEW: Final = """
SELECT DISTINCT wanted.train_id
  FROM gtfs_train wanted
  JOIN gtfs_call c ON c.run_id = wanted.id
  JOIN trains_stop s ON s.train_id = wanted.train_id AND s.sequence = c.sequence
 WHERE wanted.fate = 'same' AND s.distance_km <> c.distance_km
"""
_MEASURE: Final = """
UPDATE trains_stop s SET distance_km = c.distance_km
  FROM gtfs_train wanted JOIN gtfs_call c ON c.run_id = wanted.id
 WHERE wanted.train_id = ANY(%(trains)s)
   AND s.train_id = wanted.train_id AND s.sequence = c.sequence
"""
_BUMP: Final = "UPDATE trains_train SET revision = revision + 1 WHERE id = ANY(%(trains)s)"
_STAGE_DAYS: Final = """
CREATE TEMP TABLE gtfs_day ON COMMIT DROP AS
SELECT DISTINCT wanted.train_id, c.id AS calendar_id
  FROM gtfs_train_service runs
  JOIN gtfs_train wanted ON wanted.id = runs.run_id
  JOIN trains_servicecalendar c ON c.feed_id = %(feed)s AND c.service_id = runs.service_id
"""
_DELETE_DAYS: Final = """
DELETE FROM trains_train_calendars has
 USING trains_train t, trains_servicecalendar c
 WHERE t.id = has.train_id AND t.feed_id = %(feed)s
   AND c.id = has.servicecalendar_id AND c.feed_id = %(feed)s
   AND NOT EXISTS (SELECT 1 FROM gtfs_day said
                    WHERE said.train_id = t.id AND said.calendar_id = c.id)
RETURNING has.train_id
"""
_INSERT_DAYS: Final = """
INSERT INTO trains_train_calendars (train_id, servicecalendar_id)
SELECT train_id, calendar_id FROM gtfs_day ORDER BY 1, 2 ON CONFLICT DO NOTHING
RETURNING train_id
"""
_RUN_ON: Final = """
SELECT train_id FROM trains_train_calendars WHERE servicecalendar_id = ANY(%(calendars)s)
"""
_UNUSED: Final = """
SELECT id FROM trains_servicecalendar c
 WHERE feed_id = %(feed)s
   AND NOT EXISTS (SELECT 1 FROM gtfs_wanted_calendar w WHERE w.service_id = c.service_id)
"""
_COUNTS: Final = "SELECT fate, train_id FROM gtfs_train"


@dataclass(frozen=True, kw_only=True)
class StoredTrains:
    """What was written. `retimed` have new stops or times; `redated` run on other
    days, or on the same days by other calendars.
    """

    tally: Tally
    new: frozenset[int]
    retimed: frozenset[int]
    redated: frozenset[int]
    calendars_dropped: int


def store_trains(
    feed: Feed, remarks: Remarks, *, calendars_changed: Collection[int]
) -> StoredTrains:
    """Write trains, stops and days as staged; the calendars are stored already."""
    names: dict[str, Any] = {"feed": feed.pk, "calendars": list(calendars_changed)}
    with connection.cursor() as cursor:
        cursor.execute(_INSERT_TRAINS, names)
        cursor.execute(_FIND_NEW)
        cursor.execute(_UPDATE_TRAINS)
        touched = {row[0] for row in cursor}
        cursor.execute(_DELETE_STOPS)
        touched |= _measure_anew(remarks)
        cursor.execute(_INSERT_STOPS)
        cursor.execute("DROP TABLE IF EXISTS gtfs_day")
        cursor.execute(_STAGE_DAYS, names)
        cursor.execute("ANALYZE gtfs_day")
        cursor.execute(_DELETE_DAYS, names)
        redated = {row[0] for row in cursor}
        cursor.execute(_INSERT_DAYS, names)
        redated |= {row[0] for row in cursor}
        cursor.execute(_RUN_ON, names)
        redated |= {row[0] for row in cursor}
        cursor.execute(_COUNTS)
        fates: dict[str, set[int]] = {"new": set(), "changed": set(), "same": set()}
        for fate, train_id in cursor:
            fates[fate].add(train_id)
    wanted = fates["new"] | fates["changed"] | fates["same"]
    return StoredTrains(
        tally=Tally(
            total=len(wanted),
            new=len(fates["new"]),
            changed=len(((touched | redated) & wanted) - fates["new"]),
            removed=len(redated - wanted),
        ),
        new=frozenset(fates["new"]),
        retimed=frozenset(fates["changed"]),
        redated=frozenset(redated - fates["new"]),
        calendars_dropped=_drop_calendars(feed),
    )


def _measure_anew(remarks: Remarks) -> set[int]:
    """Correct distances of trains whose stops are the same, unless fares were paid by them."""
    with connection.cursor() as cursor:
        cursor.execute(_MEASURED_ANEW)
        other = [row[0] for row in cursor]
        in_use = trains_in_use(other)
        for train_id in sorted(in_use):
            remarks.add("trains keep their old distances, seats were sold by them", str(train_id))
        free = sorted(set(other) - in_use)
        cursor.execute(_MEASURE, {"trains": free})
        cursor.execute(_BUMP, {"trains": free})
    return set(free)


def _drop_calendars(feed: Feed) -> int:
    """Delete the calendars the feed no longer has, and the days that hung on them."""
    names = {"feed": feed.pk}
    with connection.cursor() as cursor:
        cursor.execute(_UNUSED, names)
        unused = [row[0] for row in cursor]
        for table, column in (
            ("trains_train_calendars", "servicecalendar_id"),
            ("trains_serviceexception", "calendar_id"),
            ("trains_servicecalendar", "id"),
        ):
            cursor.execute(f"DELETE FROM {table} WHERE {column} = ANY(%s)", [unused])  # noqa: S608
    return len(unused)

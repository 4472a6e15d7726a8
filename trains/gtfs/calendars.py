"""The days a feed's services run, and how an expired feed is moved onto today."""

from dataclasses import dataclass
from datetime import date

from django.db import connection

from trains.gtfs.report import Tally
from trains.models import Feed

_USED = "service_id IN (SELECT service_id FROM gtfs_trip)"

_PERIOD = f"""
SELECT min(first), max(last) FROM (
    SELECT start_date AS first, end_date AS last
      FROM gtfs_calendar WHERE weekdays <> 0 AND {_USED}
    UNION ALL
    SELECT date, date FROM gtfs_calendar_date WHERE runs AND {_USED}
) days
"""  # noqa: S608  # constants only

# By how many days the stored calendars of the feed lie after those of the file.
_SHIFT_KEPT = """
SELECT min(stored.start_date - said.start_date), max(stored.start_date - said.start_date)
  FROM gtfs_wanted_calendar said
  JOIN trains_servicecalendar stored USING (service_id)
 WHERE stored.feed_id = %s
"""

# A service may have a weekly pattern, single days, or both. Services no trip uses stay out.
_WANTED = f"""
CREATE TEMP TABLE gtfs_wanted_calendar ON COMMIT DROP AS
SELECT service_id, coalesce(weekdays, 0) AS weekdays,
       coalesce(start_date, first) AS start_date, coalesce(end_date, last) AS end_date
  FROM gtfs_service
  LEFT JOIN gtfs_calendar USING (service_id)
  LEFT JOIN (SELECT service_id, min(date) AS first, max(date) AS last
               FROM gtfs_calendar_date GROUP BY service_id) days USING (service_id)
 WHERE {_USED}
"""  # noqa: S608  # constants only

_UPDATE = """
UPDATE trains_servicecalendar stored
   SET weekdays = said.weekdays, start_date = said.start_date, end_date = said.end_date
  FROM gtfs_wanted_calendar said
 WHERE stored.feed_id = %(feed)s AND stored.service_id = said.service_id
   AND (stored.weekdays, stored.start_date, stored.end_date)
       IS DISTINCT FROM (said.weekdays::smallint, said.start_date, said.end_date)
RETURNING stored.id
"""

_INSERT = """
INSERT INTO trains_servicecalendar (feed_id, service_id, weekdays, start_date, end_date)
SELECT %(feed)s, said.service_id, said.weekdays, said.start_date, said.end_date
  FROM gtfs_wanted_calendar said
 WHERE NOT EXISTS (SELECT 1 FROM trains_servicecalendar stored
                    WHERE stored.feed_id = %(feed)s AND stored.service_id = said.service_id)
 ORDER BY said.service_id
RETURNING id
"""

_EXCEPTIONS_GONE = """
DELETE FROM trains_serviceexception e
 USING trains_servicecalendar c
 WHERE c.id = e.calendar_id AND c.feed_id = %(feed)s
   AND NOT EXISTS (SELECT 1 FROM gtfs_calendar_date said
                    WHERE said.service_id = c.service_id AND said.date = e.date
                      AND said.runs = e.runs)
RETURNING e.calendar_id
"""

_EXCEPTIONS_NEW = """
INSERT INTO trains_serviceexception (calendar_id, date, runs)
SELECT c.id, said.date, said.runs
  FROM gtfs_calendar_date said
  JOIN trains_servicecalendar c ON c.feed_id = %(feed)s AND c.service_id = said.service_id
 WHERE NOT EXISTS (SELECT 1 FROM trains_serviceexception e
                    WHERE e.calendar_id = c.id AND e.date = said.date)
 ORDER BY c.id, said.date
RETURNING calendar_id
"""


@dataclass(frozen=True)
class Period:
    """The first and the last day on which any train of the feed may run."""

    first: date
    last: date


def read_period() -> Period | None:
    """The period of the staged feed; None when nothing ever runs."""
    with connection.cursor() as cursor:
        cursor.execute(_PERIOD)
        first, last = cursor.fetchone()
    return None if first is None else Period(first, last)


def stage_wanted(feed: Feed, period: Period | None, today: date, *, shift: bool) -> int:
    """Leave `gtfs_wanted_calendar` behind; return by how many days it was moved (0: not).

    Only a feed that is over is moved, by whole weeks, so that its first week is this one. A feed
    that was moved before and is not yet over stays where it is: a second import changes nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS gtfs_wanted_calendar")
        cursor.execute(_WANTED)
        if not shift or period is None or period.last >= today:
            return 0
        cursor.execute(_SHIFT_KEPT, [feed.pk])
        low, high = cursor.fetchone()
        days = shift_days(period, today, kept_days=low if low == high else None)
        cursor.execute(
            "UPDATE gtfs_wanted_calendar"
            " SET start_date = start_date + %(days)s::int, end_date = end_date + %(days)s::int",
            {"days": days},
        )
        cursor.execute("UPDATE gtfs_calendar_date SET date = date + %s::int", [days])
    return days


def shift_days(period: Period, today: date, *, kept_days: int | None = None) -> int:
    """Whole weeks, in days, after which a period that is over includes `today`.

    `kept_days` is how far it was moved before; it is kept while that is far enough.
    """
    length_days = (period.last - period.first).days
    if (
        kept_days
        and kept_days % 7 == 0
        and period.last.toordinal() + kept_days >= today.toordinal()
    ):
        return kept_days
    weeks = (today - period.first).days // 7
    return (weeks if length_days >= 6 else -(-(today - period.last).days // 7)) * 7


@dataclass(frozen=True)
class StoredCalendars:
    """What was written; `changed` are the calendars (ids) with other days than before."""

    tally: Tally
    changed: frozenset[int]


def store_calendars(feed: Feed) -> StoredCalendars:
    """Write the wanted calendars and exceptions. Those the feed dropped go with the days of its
    trains, see `store_trains`.
    """
    names = {"feed": feed.pk}
    with connection.cursor() as cursor:
        cursor.execute(_UPDATE, names)
        changed = {row[0] for row in cursor}
        cursor.execute(_EXCEPTIONS_GONE, names)
        changed |= {row[0] for row in cursor}
        cursor.execute(_INSERT, names)
        new = {row[0] for row in cursor}
        cursor.execute(_EXCEPTIONS_NEW, names)
        changed |= {row[0] for row in cursor}
        cursor.execute("SELECT count(*) FROM gtfs_wanted_calendar")
        (total,) = cursor.fetchone()
    changed -= new
    return StoredCalendars(
        tally=Tally(total=total, new=len(new), changed=len(changed)), changed=frozenset(changed)
    )

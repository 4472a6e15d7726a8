"""Let the departures to come follow the new timetable, but for those that somebody counts on.

    before the import is written     remember which departures the old calendars called for
    after                            of these, take away what the new ones do not call for
                                     make again what has other stops or times
                                     on days an old train keeps, its successor does not run

A departure that somebody holds, booked or blocked seats on (`hooks.departures_in_use`) stays as
it is. One that staff added on a day the calendars never called for stays as well.
"""

from collections.abc import Collection, Sequence
from typing import Final

from django.db import connection

from config import clock
from trains.gtfs.in_use import departures_in_use
from trains.gtfs.matching import Succession
from trains.gtfs.report import Remarks, Tally
from trains.models import Departure, Feed
from trains.services.touch_departures import touch_departures

_CALLED_FOR: Final = """
EXISTS (SELECT 1
          FROM trains_train_calendars tc
          JOIN trains_servicecalendar c ON c.id = tc.servicecalendar_id
          LEFT JOIN trains_serviceexception e ON e.calendar_id = c.id AND e.date = {date}
         WHERE tc.train_id = {train}
           AND coalesce(e.runs,
               {date} >= c.start_date AND {date} <= coalesce(c.end_date, {date})
               AND (c.weekdays >> (extract(isodow FROM {date})::int - 1)) & 1 = 1))
"""
_REMEMBER: Final = f"""
CREATE TEMP TABLE gtfs_called_for ON COMMIT DROP AS
SELECT d.id, d.train_id, d.service_date
  FROM trains_departure d JOIN trains_train t ON t.id = d.train_id
 WHERE t.feed_id = %(feed)s AND d.ends_at > %(now)s
   AND {_CALLED_FOR.format(train="d.train_id", date="d.service_date")}
"""  # noqa: S608  # constants only
_NOT_CALLED_FOR: Final = f"""
SELECT d.id, d.train_id FROM gtfs_called_for d
 WHERE NOT {_CALLED_FOR.format(train="d.train_id", date="d.service_date")}
"""  # noqa: S608  # constants only
_TIMES: Final = """
SELECT t.id AS train_id, t.timezone,
       (SELECT s.arrival_seconds FROM trains_stop s
         WHERE s.train_id = t.id ORDER BY s.sequence DESC LIMIT 1) AS last_seconds
  FROM trains_train t
"""
_STARTS_AT: Final = "(({date} + time '12:00') AT TIME ZONE timezone) - interval '12 hours'"

# A run of other stops is another departure with another id: nothing that was remembered of the
# old one (its seat image, its plan) can be taken for it. What staff decided about it stays.
_MAKE_AGAIN: Final = f"""
WITH old AS (
    DELETE FROM trains_departure WHERE id = ANY(%(departures)s)
    RETURNING train_id, service_date, status, sale_opens_at, fare_factor
), timed AS (
    SELECT old.*, {_STARTS_AT.format(date="service_date")} AS starts_at, last_seconds
      FROM old JOIN ({_TIMES}) times USING (train_id)
)
INSERT INTO trains_departure (train_id, service_date, starts_at, ends_at, status, sale_opens_at,
                              fare_factor, revision)
SELECT train_id, service_date, starts_at, starts_at + make_interval(secs => last_seconds),
       status, sale_opens_at, fare_factor, 1
  FROM timed ORDER BY train_id, service_date
"""  # noqa: S608  # constants only
_CLOSE_DAYS: Final = f"""
WITH timed AS (
    SELECT successor.train_id, d.service_date, d.sale_opens_at,
           {_STARTS_AT.format(date="d.service_date")} AS starts_at, last_seconds
      FROM trains_departure d
     CROSS JOIN ({_TIMES}) successor
     WHERE d.id = ANY(%(kept)s) AND successor.train_id = %(train)s
       AND {_CALLED_FOR.format(train="%(train)s", date="d.service_date")}
)
INSERT INTO trains_departure (train_id, service_date, starts_at, ends_at, status, sale_opens_at,
                              fare_factor, revision)
SELECT train_id, service_date, starts_at, starts_at + make_interval(secs => last_seconds),
       'closed', sale_opens_at, 1, 1
  FROM timed ORDER BY service_date
ON CONFLICT (train_id, service_date) DO NOTHING
"""  # noqa: S608  # constants only


def remember_departures(feed: Feed) -> None:
    """Leave `gtfs_called_for`: the departures to come that the stored calendars call for."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS gtfs_called_for")
        cursor.execute(_REMEMBER, {"feed": feed.pk, "now": clock.now()})


def follow_timetable(
    *, retimed: Collection[int], successions: Sequence[Succession], remarks: Remarks
) -> Tally:
    """Bring the departures to come in line; trains, stops and days are stored already."""
    removed = _remove_uncalled(remarks)
    again = _make_again(retimed)
    closed = sum(_close_days(one, remarks) for one in successions)
    return Tally(changed=again, removed=removed, new=closed)


def _remove_uncalled(remarks: Remarks) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_NOT_CALLED_FOR)
        train_of = dict(cursor.fetchall())
    trains = sorted(set(train_of.values()))
    in_use = departures_in_use(trains) & train_of.keys()
    for departure_id in sorted(in_use):
        remarks.add(
            "departures stay although the feed dropped them, seats are taken", str(departure_id)
        )
    doomed = sorted(train_of.keys() - in_use)
    _announce(doomed)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM trains_departure WHERE id = ANY(%s)", [doomed])
    return len(doomed)


def _make_again(train_ids: Collection[int]) -> int:
    upcoming = Departure.objects.filter(train__in=train_ids, ends_at__gt=clock.now())
    ids = sorted(upcoming.values_list("pk", flat=True))
    _announce(ids)
    with connection.cursor() as cursor:
        cursor.execute(_MAKE_AGAIN, {"departures": ids})
    return len(ids)


def _close_days(succession: Succession, remarks: Remarks) -> int:
    kept = departures_in_use([succession.old_train_id])
    upcoming = Departure.objects.filter(pk__in=kept, ends_at__gt=clock.now())
    ids = sorted(upcoming.values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute("SELECT train_id, number FROM gtfs_train WHERE id = %s", [succession.run_id])
        train_id, number = cursor.fetchone()
        cursor.execute(_CLOSE_DAYS, {"kept": ids, "train": train_id})
        closed = int(cursor.rowcount)
    remarks.add(
        "departures stay as they were sold, the new timetable runs beside them",
        f"{succession.old_number} (now {number})",
        len(ids),
    )
    return closed


def _announce(departure_ids: Sequence[int]) -> None:
    """Say that these are about to go, while they can still be named."""
    if departure_ids:
        touch_departures(fields=["timetable"], actor_id=None, departure_ids=departure_ids)

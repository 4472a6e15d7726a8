"""Let the departures to come follow the new timetable, but for those that somebody counts on.

    before the import is written     remember which departures the old calendars called for
    after                            close those the new calendars dropped
                                     reopen those they brought back
                                     give those of changed trains their new moments
                                     on days an old train keeps, its successor does not run

A departure that somebody holds, booked or blocked seats on (`hooks.departures_in_use`) stays as
it is. One that staff added on a day the calendars never called for stays as well. None is ever
deleted: the engine may be looking at it this moment.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from django.db import connection

from config import clock
from trains.gtfs.errors import SeatsTakenMeanwhile
from trains.gtfs.in_use import departures_in_use, trains_in_use
from trains.gtfs.matching import Succession
from trains.gtfs.report import DepartureChanges, Remarks
from trains.models import Departure, Feed, Train
from trains.services.set_status import set_status
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
CREATE TEMP TABLE gtfs_departure ON COMMIT DROP AS
SELECT d.id, d.train_id, t.feed_number, d.service_date, d.status,
       {_CALLED_FOR.format(train="d.train_id", date="d.service_date")} AS was_called_for
  FROM trains_departure d JOIN trains_train t ON t.id = d.train_id
 WHERE t.feed_id = %(feed)s AND d.ends_at > %(now)s
"""  # noqa: S608  # constants only
_JUDGE: Final = f"""
CREATE TEMP TABLE gtfs_departure_now ON COMMIT DROP AS
SELECT d.*, {_CALLED_FOR.format(train="d.train_id", date="d.service_date")} AS is_called_for
  FROM gtfs_departure d
"""  # noqa: S608  # constants only
_DROPPED: Final = """
SELECT id, train_id FROM gtfs_departure_now
 WHERE was_called_for AND NOT is_called_for AND status = 'open'
"""
# Not beside an older train of this number that keeps a departure on that day.
_BROUGHT_BACK: Final = """
SELECT id FROM gtfs_departure_now d
 WHERE is_called_for AND NOT was_called_for AND status = 'closed'
   AND NOT EXISTS (SELECT 1 FROM gtfs_departure_now older
                     JOIN trains_departure kept ON kept.id = older.id AND kept.status = 'open'
                    WHERE older.feed_number = d.feed_number
                      AND older.service_date = d.service_date
                      AND NOT older.is_called_for)
"""
_TIMES: Final = """
SELECT t.id AS train_id, t.timezone,
       (SELECT s.arrival_seconds FROM trains_stop s
         WHERE s.train_id = t.id ORDER BY s.sequence DESC LIMIT 1) AS last_seconds
  FROM trains_train t
"""
_STARTS_AT: Final = "(({date} + time '12:00') AT TIME ZONE timezone) - interval '12 hours'"
_RETIME: Final = f"""
UPDATE trains_departure d
   SET starts_at = moved.starts_at,
       ends_at = moved.starts_at + make_interval(secs => moved.last_seconds)
  FROM (SELECT one.id, {_STARTS_AT.format(date="one.service_date")} AS starts_at, last_seconds
          FROM trains_departure one JOIN ({_TIMES}) times USING (train_id)
         WHERE one.train_id = ANY(%(trains)s) AND one.ends_at > %(now)s) moved
 WHERE d.id = moved.id
RETURNING d.id
"""  # noqa: S608  # constants only
_SET_ASIDE: Final = f"""
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
    """Leave `gtfs_departure`: the feed's departures to come, as the stored calendars see them."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS gtfs_departure, gtfs_departure_now")
        cursor.execute(_REMEMBER, {"feed": feed.pk, "now": clock.now()})


def follow_timetable(
    *, retimed: Collection[int], successions: Sequence[Succession], remarks: Remarks
) -> DepartureChanges:
    """Bring the departures to come in line; trains, stops and days are stored already."""
    with connection.cursor() as cursor:
        cursor.execute(_JUDGE)
        cursor.execute(_DROPPED)
        dropped = dict(cursor.fetchall())
    return DepartureChanges(
        closed=_close(dropped, remarks),
        reopened=_reopen(),
        retimed=_retime(retimed),
        set_aside=sum(_set_aside(one, remarks) for one in successions),
    )


def refuse_if_taken_meanwhile(retimed: Iterable[int]) -> None:
    """Ask once more, at the very end: a hold is made without a word to PostgreSQL, so somebody
    may have taken a seat on a train since its stops were found free to change.

    Raises `SeatsTakenMeanwhile`.
    """
    taken = trains_in_use(retimed)
    if taken:
        numbers = Train.objects.filter(pk__in=taken).order_by("number")
        raise SeatsTakenMeanwhile(list(numbers.values_list("number", flat=True)))


def _close(train_of: dict[int, int], remarks: Remarks) -> int:
    in_use = departures_in_use(set(train_of.values())) & train_of.keys()
    for departure in Departure.objects.filter(pk__in=in_use).select_related("train").order_by("pk"):
        remarks.add(
            "departures stay although the feed dropped them, seats are taken",
            f"{departure.train.number} on {departure.service_date}",
        )
    closing = sorted(train_of.keys() - in_use)
    return set_status(departure_ids=closing, status=Departure.Status.CLOSED, actor_id=None)


def _reopen() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_BROUGHT_BACK)
        ids = [row[0] for row in cursor]
    return set_status(departure_ids=ids, status=Departure.Status.OPEN, actor_id=None)


def _retime(train_ids: Collection[int]) -> int:
    if not train_ids:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_RETIME, {"trains": list(train_ids), "now": clock.now()})
        departures = [row[0] for row in cursor]
    touch_departures(fields=["stops"], actor_id=None, departure_ids=departures)
    return len(departures)


def _set_aside(succession: Succession, remarks: Remarks) -> int:
    """Close the successor on the days the older train keeps, before they can be opened."""
    kept = departures_in_use([succession.old_train_id])
    upcoming = Departure.objects.filter(pk__in=kept, ends_at__gt=clock.now())
    ids = sorted(upcoming.values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute("SELECT train_id, number FROM gtfs_train WHERE id = %s", [succession.run_id])
        train_id, number = cursor.fetchone()
        cursor.execute(_SET_ASIDE, {"kept": ids, "train": train_id})
        closed = int(cursor.rowcount)
    remarks.add(
        "departures stay as they were sold, the new timetable runs beside them",
        f"{succession.old_number} (now {number})",
        len(ids),
    )
    return closed

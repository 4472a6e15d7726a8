"""Open departures for sale over a rolling window.

A date enters the window SALE_WINDOW_DAYS before it comes, and goes on sale that day at
SALE_OPENS_AT (the train's local time). So on any day all dates from today to the window's last
day have their departures, and all but perhaps the last are on sale.

    today                                                        today + window
      |  on sale ................................................ | from SALE_OPENS_AT
"""

from collections.abc import Sequence

from django.conf import settings
from django.db import connection, transaction

from config import clock
from trains import limits

# The service day begins at noon minus 12 hours, which is midnight but for the two days a year on
# which clocks change; PostgreSQL knows the zones. A run that set out before today and is still
# under way is opened as well: it is on sale at the stops it has not reached.
#
# The rows are inserted in the order of the unique index, so that two runs of this statement at
# once wait for each other instead of deadlocking; the second finds them there.
_OPEN = """
WITH run AS (
    SELECT t.id, t.timezone, (%(now)s AT TIME ZONE t.timezone)::date AS today,
           last.arrival_seconds AS last_seconds
      FROM trains_train t
      JOIN LATERAL (
           SELECT s.arrival_seconds FROM trains_stop s
            WHERE s.train_id = t.id ORDER BY s.sequence DESC LIMIT 1) last ON true
     WHERE %(trains)s::bigint[] IS NULL OR t.id = ANY(%(trains)s)
), used AS (
    SELECT c.*
      FROM trains_servicecalendar c
     WHERE EXISTS (SELECT 1 FROM trains_train_calendars tc
                     JOIN run ON run.id = tc.train_id
                    WHERE tc.servicecalendar_id = c.id)
), active AS (
    SELECT c.id AS calendar_id, day::date AS service_date
      FROM used c
     CROSS JOIN generate_series(
           (SELECT min(today) FROM run) - %(days_back)s::int,
           (SELECT max(today) FROM run) + %(window)s::int, interval '1 day') AS day
      LEFT JOIN trains_serviceexception e ON e.calendar_id = c.id AND e.date = day::date
     WHERE coalesce(e.runs,
           day::date >= c.start_date
           AND day::date <= coalesce(c.end_date, day::date)
           AND (c.weekdays >> (extract(isodow FROM day)::int - 1)) & 1 = 1)
), due AS (
    SELECT DISTINCT run.*, active.service_date
      FROM run
      JOIN trains_train_calendars tc ON tc.train_id = run.id
      JOIN active ON active.calendar_id = tc.servicecalendar_id
     WHERE active.service_date <= run.today + %(window)s::int
       AND active.service_date >= run.today - run.last_seconds / 86400
), timed AS (
    SELECT due.*,
           ((service_date + time '12:00') AT TIME ZONE timezone) - interval '12 hours' AS starts_at
      FROM due
), fresh AS (
    SELECT timed.*, starts_at + make_interval(secs => last_seconds) AS ends_at
      FROM timed
     WHERE NOT EXISTS (SELECT 1 FROM trains_departure d
                        WHERE d.train_id = timed.id AND d.service_date = timed.service_date)
)
INSERT INTO trains_departure
       (train_id, service_date, starts_at, ends_at, status, sale_opens_at, fare_factor, revision)
SELECT id, service_date, starts_at, ends_at, 'open',
       (service_date - %(window)s::int + %(opens_at)s::time) AT TIME ZONE timezone, 1, 1
  FROM fresh
 WHERE service_date >= today OR ends_at > %(now)s
 ORDER BY id, service_date
ON CONFLICT (train_id, service_date) DO NOTHING
"""


def open_departures(
    *, window_days: int | None = None, train_ids: Sequence[int] | None = None
) -> int:
    """Make the missing departures from today to `window_days` ahead; return how many were made.

    The days are those of the trains' calendars and their exceptions. `window_days` is
    SALE_WINDOW_DAYS unless given; `train_ids` limits the trains (all, when None). A departure
    that exists is left alone, so it is safe to repeat and to run twice at once.
    """
    window = settings.ENV.sale_window_days if window_days is None else window_days
    if not 0 <= window <= limits.DAYS_AHEAD_MAX:
        raise ValueError(f"the window must be 0 to {limits.DAYS_AHEAD_MAX} days, not {window}")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            _OPEN,
            {
                "now": clock.now(),
                "trains": None if train_ids is None else list(train_ids),
                "window": window,
                "days_back": limits.RUN_DAYS_MAX,
                "opens_at": settings.ENV.sale_opens_at.isoformat(),
            },
        )
        return int(cursor.rowcount)

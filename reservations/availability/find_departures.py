"""Which departures run between two stations on a day, and are on sale: two queries.

The day is the local day at the boarding stop, so that a train which set out the day before, or
in another zone, is found on the day a traveller would look for it.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.conf import settings

from config import clock
from config.errors import Invalid
from config.stores.postgres.prepared import prepared_cursor
from reservations.availability.plan_rows import DepartureRow
from reservations.availability.plans import Plan, Stretch, plans_for
from reservations.errors import NotOnSale
from trains.limits import DAYS_AHEAD_MAX, RUN_DAYS_MAX
from trains.sale import day_bounds, is_within_window, local_date, opens_at

# Of a station a train visits twice, the pair of stops closest together counts, then the first:
# the same as `TrainPlan.stretch` takes. The bounds on service_date only help the index: a stop is
# at most `RUN_DAYS_MAX` after it, and zones are at most two days apart.
_FIND: Final = """
WITH pair AS (
    SELECT DISTINCT ON (a.train_id) a.train_id, a.sequence AS from_stop, b.sequence AS to_stop,
           a.departure_seconds AS seconds
      FROM trains_stop a
      JOIN trains_stop b ON b.train_id = a.train_id AND b.sequence > a.sequence
     WHERE a.station_id = %(source)s::bigint AND a.pickup
       AND b.station_id = %(destination)s::bigint AND b.drop_off
     ORDER BY a.train_id, b.sequence - a.sequence, a.sequence
), found AS (
    SELECT d.id, d.train_id, t.revision AS train_revision, d.service_date, d.starts_at, d.ends_at,
           d.status, d.sale_opens_at, d.fare_factor, d.revision, pair.from_stop, pair.to_stop,
           f.id AS fare_table, coalesce(f.revision, 0) AS fare_revision,
           d.starts_at + make_interval(secs => pair.seconds) AS boards_at, t.number
      FROM pair
      JOIN trains_train t ON t.id = pair.train_id
      JOIN trains_departure d ON d.train_id = pair.train_id
       AND d.service_date BETWEEN %(first)s::date AND %(last)s::date
      LEFT JOIN trains_faretable f ON f.valid_from <= d.service_date
       AND (f.valid_to IS NULL OR f.valid_to >= d.service_date)
     WHERE d.starts_at + make_interval(secs => pair.seconds) >= %(start)s::timestamptz
       AND d.starts_at + make_interval(secs => pair.seconds) < %(end)s::timestamptz
       AND d.starts_at + make_interval(secs => pair.seconds) > %(leaves_after)s::timestamptz
       AND d.status = 'open' AND d.sale_opens_at <= %(opened_by)s::timestamptz
       AND (%(travel_class)s::text IS NULL OR EXISTS (
               SELECT 1 FROM trains_coach c
                WHERE c.train_id = d.train_id AND c.travel_class = %(travel_class)s::text))
), page AS (
    SELECT * FROM found ORDER BY boards_at, number, id
     LIMIT %(limit)s::bigint OFFSET %(offset)s::bigint
)
SELECT total.count, page.*
  FROM (SELECT count(*) FROM found) AS total LEFT JOIN page ON true
 ORDER BY page.boards_at, page.number, page.id
"""

_STATIONS: Final = "SELECT id, code, timezone FROM trains_station WHERE code = ANY(%s::text[])"


@dataclass(frozen=True, kw_only=True)
class Journey:
    """What is looked for. `source`, `destination` are station codes, in any case."""

    source: str
    destination: str
    day: date
    travel_class: str | None = None


@dataclass(frozen=True, slots=True)
class Terminus:
    """A station where a journey begins or ends."""

    pk: int
    code: str
    timezone: str


@dataclass(frozen=True, kw_only=True)
class Found:
    """One page of the departures found, by time of boarding, and how many there are in all."""

    source: Terminus
    destination: Terminus
    count: int
    runs: list[tuple[Plan, Stretch]]


def find_departures(journey: Journey, *, limit: int, offset: int) -> Found:
    """Look them up; two queries, and those of `plans_for` for trains not in memory.

    Raises `Invalid` (unknown station, or twice the same), `NotOnSale` for a day outside the
    window on which nothing runs.
    """
    source, destination = termini(journey)
    now = clock.now()
    check_day(journey.day, source, now)
    found = query(
        source,
        destination,
        Query(
            day=journey.day,
            travel_class=journey.travel_class,
            leaves_after=now,
            opened_by=now,
            limit=limit,
            offset=offset,
        ),
    )
    check_any(found.count, journey.day, source, now)
    return found


@dataclass(frozen=True, kw_only=True)
class Query:
    """The open departures of a local day that leave after a moment and are on sale by another."""

    day: date
    travel_class: str | None
    leaves_after: datetime
    opened_by: datetime
    limit: int
    offset: int


def query(source: Terminus, destination: Terminus, asked: Query) -> Found:
    """One query, and those of `plans_for` for trains not in memory."""
    start, end = day_bounds(asked.day, source.timezone)
    with prepared_cursor(binary=True) as cursor:
        cursor.execute(
            _FIND,
            {
                "source": source.pk,
                "destination": destination.pk,
                "first": asked.day - timedelta(days=RUN_DAYS_MAX + 2),
                "last": asked.day + timedelta(days=2),
                "start": start,
                "end": end,
                "leaves_after": asked.leaves_after,
                "opened_by": asked.opened_by,
                "travel_class": asked.travel_class,
                "limit": asked.limit,
                "offset": asked.offset,
            },
        )
        rows = cursor.fetchall()
    runs = [(DepartureRow(*row[1:11], *row[13:15]), Stretch(*row[11:13])) for row in rows if row[1]]
    plans = plans_for(row for row, _ in runs)
    return Found(
        source=source,
        destination=destination,
        count=rows[0][0],
        runs=[(plans[row.id], stretch) for row, stretch in runs],
    )


def check_day(day: date, source: Terminus, now: datetime) -> None:
    """Raises `NotOnSale` for a day no departure can have."""
    today = local_date(now, source.timezone)
    if not -1 <= (day - today).days <= DAYS_AHEAD_MAX + RUN_DAYS_MAX:
        raise _outside(day, today, source)


def check_any(count: int, day: date, source: Terminus, now: datetime) -> None:
    """Raises `NotOnSale` if nothing was found on a day outside the window."""
    today = local_date(now, source.timezone)
    window_days = settings.ENV.sale_window_days
    if not count and not is_within_window(day, today=today, window_days=window_days):
        raise _outside(day, today, source)


def termini(journey: Journey) -> tuple[Terminus, Terminus]:
    """Its two stations; one query. Raises `Invalid`."""
    source, destination = _stations(journey.source, journey.destination)
    if source == destination:
        raise Invalid({"destination": ["Source and destination are the same station."]})
    return source, destination


def _stations(*codes: str) -> list[Terminus]:
    """The stations of `source` and `destination`; one query. Raises `Invalid` naming the field."""
    wanted = {code for given in codes for code in (given, given.upper())}
    with prepared_cursor() as cursor:
        cursor.execute(_STATIONS, [list(wanted)])
        known = {row[1]: Terminus(*row) for row in cursor.fetchall()}
    found = [known.get(code) or known.get(code.upper()) for code in codes]
    unknown = {
        field: [f"There is no station {code}."]
        for field, code, station in zip(("source", "destination"), codes, found, strict=True)
        if station is None
    }
    if unknown:
        raise Invalid(unknown)
    return [station for station in found if station is not None]


def _outside(day: date, today: date, source: Terminus) -> NotOnSale:
    if day < today:
        return NotOnSale(f"{day} is over.")
    env = settings.ENV
    opens = opens_at(day, source.timezone, window_days=env.sale_window_days, hour=env.sale_opens_at)
    return NotOnSale(f"{day} is not on sale yet.", opens)

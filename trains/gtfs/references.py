"""Checks between the rows of a feed: names that are taken twice, or that nobody bears."""

from dataclasses import dataclass
from typing import Final

from django.db import connection

from trains.gtfs.errors import FeedBroken


@dataclass(frozen=True)
class _Unique:
    """No two rows agree in all these columns. Each check's `sql` finds (line, text) of the first
    row that is wrong, and `reason` tells why.
    """

    file: str
    table: str
    columns: tuple[str, ...]

    def sql(self) -> str:
        key = ", ".join(self.columns)
        shown = " || ', ' || ".join(f"{column}::text" for column in self.columns)
        return f"""
            SELECT line, shown FROM (
                SELECT line, {shown} AS shown,
                       row_number() OVER (PARTITION BY {key} ORDER BY line) AS nth
                  FROM {self.table}) counted
             WHERE nth > 1 ORDER BY line LIMIT 1"""  # noqa: S608  # constants only

    def reason(self, text: str) -> str:
        return f"{', '.join(self.columns)} {text!r} appears a second time"


@dataclass(frozen=True)
class _Refers:
    """What a column names is there."""

    file: str
    table: str
    column: str
    target: str
    target_column: str
    target_file: str

    def sql(self) -> str:
        return f"""
            SELECT line, {self.column} FROM {self.table} one
             WHERE {self.column} IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM {self.target} other
                                WHERE other.{self.target_column} = one.{self.column})
             ORDER BY line LIMIT 1"""  # noqa: S608  # constants only

    def reason(self, text: str) -> str:
        return f"{self.column} {text!r} is not in {self.target_file}"


@dataclass(frozen=True)
class _Never:
    """Rows of which there may be none; `query` selects (line, text)."""

    file: str
    query: str
    complaint: str

    def sql(self) -> str:
        return f"SELECT * FROM ({self.query}) wrong ORDER BY 1 LIMIT 1"  # noqa: S608  # constants

    def reason(self, text: str) -> str:
        return self.complaint.format(text)


_CHECKS: Final[tuple[_Unique | _Refers | _Never, ...]] = (
    _Never(
        "agency.txt",
        "SELECT 1, '' WHERE NOT EXISTS (SELECT 1 FROM gtfs_agency)",
        "there is no agency",
    ),
    _Unique("agency.txt", "gtfs_agency", ("agency_id",)),
    _Unique("stops.txt", "gtfs_stop", ("stop_id",)),
    _Unique("routes.txt", "gtfs_route", ("route_id",)),
    _Unique("trips.txt", "gtfs_trip", ("trip_id",)),
    _Unique("stop_times.txt", "gtfs_stop_time", ("trip_id", "stop_sequence")),
    _Unique("calendar.txt", "gtfs_calendar", ("service_id",)),
    _Unique("calendar_dates.txt", "gtfs_calendar_date", ("service_id", "date")),
    _Refers("stops.txt", "gtfs_stop", "parent", "gtfs_stop", "stop_id", "stops.txt"),
    _Refers("routes.txt", "gtfs_route", "agency_id", "gtfs_agency", "agency_id", "agency.txt"),
    _Refers("trips.txt", "gtfs_trip", "route_id", "gtfs_route", "route_id", "routes.txt"),
    _Refers(
        "trips.txt",
        "gtfs_trip",
        "service_id",
        "gtfs_service",
        "service_id",
        "calendar.txt or calendar_dates.txt",
    ),
    _Refers("stop_times.txt", "gtfs_stop_time", "trip_id", "gtfs_trip", "trip_id", "trips.txt"),
    _Refers("stop_times.txt", "gtfs_stop_time", "stop_id", "gtfs_stop", "stop_id", "stops.txt"),
    _Refers("frequencies.txt", "gtfs_frequency", "trip_id", "gtfs_trip", "trip_id", "trips.txt"),
    _Never(
        "routes.txt",
        "SELECT line, route_id FROM gtfs_route WHERE agency_id IS NULL"
        " AND (SELECT count(*) FROM gtfs_agency) > 1",
        "route {!r} names none of the agencies",
    ),
    _Never(
        "stops.txt",
        "SELECT one.line, one.stop_id FROM gtfs_stop one"
        " JOIN gtfs_stop up ON up.stop_id = one.parent"
        " WHERE up.kind <> CASE one.kind WHEN 4 THEN 0 ELSE 1 END",
        "the parent of {!r} is no station",
    ),
    _Never(
        "stop_times.txt",
        "SELECT st.line, st.stop_id FROM gtfs_stop_time st JOIN gtfs_stop s USING (stop_id)"
        " WHERE s.kind IN (2, 3)",
        "{!r} is an entrance or a way, no train stops there",
    ),
)


def check_references() -> None:
    """Look for rows that contradict each other; raises `FeedBroken` for the first found."""
    with connection.cursor() as cursor:
        for check in _CHECKS:
            cursor.execute(check.sql())
            found = cursor.fetchone()
            if found is not None:
                line, text = found
                raise FeedBroken(file=check.file, line=line, reason=check.reason(text))

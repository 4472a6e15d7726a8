"""The files of a feed that we read, and the temporary table each is copied into.

Rows are checked one by one here, and between each other in `references`. Other files (fares,
shapes, transfers, …) are not looked at.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from trains.gtfs.rows import Row

FREQUENCY_RUNS_MAX: Final = 1440
"""The most runs one row of `frequencies.txt` may stand for: one a minute for a day."""
STOP_OR_PLATFORM, STATION, ENTRANCE, NODE, BOARDING_AREA = range(5)
_WEEKDAYS: Final = (
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Table:
    """A file and its temporary table: the line of each row, then what `parse` gives of it.

    `columns` are SQL definitions, separated by commas; `header` names the columns the file must
    have.
    """

    file: str
    name: str
    columns: str
    header: tuple[str, ...]
    parse: Callable[[Row], tuple[Any, ...]]
    optional: bool = False


def _agency(row: Row) -> tuple[Any, ...]:
    row.required("agency_timezone")
    name = row.required("agency_name")
    return row.text("agency_id") or "", name, row.zone("agency_timezone")


def _stop(row: Row) -> tuple[Any, ...]:
    stop_id = row.identifier("stop_id")
    latitude = row.number("stop_lat", -90, 90)
    longitude = row.number("stop_lon", -180, 180)
    if (latitude is None) != (longitude is None):
        raise row.broken("stop_lat and stop_lon go together")
    if latitude == 0 and longitude == 0:
        latitude = longitude = None  # nobody knew, and the form wanted a number
    kind = row.choice("location_type", range(5), STOP_OR_PLATFORM)
    name = row.text("stop_name") or row.text("stop_code") or stop_id
    zone = row.zone("stop_timezone")
    parent = row.text("parent_station")
    return stop_id, row.text("stop_code"), name, latitude, longitude, zone, kind, parent


def _route(row: Row) -> tuple[Any, ...]:
    short, long = row.text("route_short_name"), row.text("route_long_name")
    kind = row.integer("route_type")
    return row.identifier("route_id"), row.text("agency_id"), short, long, kind


def _trip(row: Row) -> tuple[Any, ...]:
    return (
        row.identifier("trip_id"),
        row.required("route_id"),
        row.identifier("service_id"),
        row.text("trip_short_name"),
        row.text("trip_headsign"),
    )


def _stop_time(row: Row) -> tuple[Any, ...]:
    on_demand = row.text("location_id") or row.text("location_group_id")
    stop_id = row.text("stop_id") if on_demand else row.required("stop_id")
    return (
        row.required("trip_id"),
        row.integer("stop_sequence"),
        stop_id,
        row.time_seconds("arrival_time"),
        row.time_seconds("departure_time"),
        row.number("shape_dist_traveled", 0, 1e12),
        row.choice("pickup_type", range(4), 0) != 1,
        row.choice("drop_off_type", range(4), 0) != 1,
    )


def _calendar(row: Row) -> tuple[Any, ...]:
    runs = [row.choice(day, (0, 1)) for day in _WEEKDAYS]
    start, end = row.day("start_date"), row.day("end_date")
    if end < start:
        raise row.broken(f"end_date {end} lies before start_date {start}")
    weekdays = sum(bit << number for number, bit in enumerate(runs))
    return row.identifier("service_id"), weekdays, start, end


def _calendar_date(row: Row) -> tuple[Any, ...]:
    runs = row.choice("exception_type", (1, 2)) == 1
    return row.identifier("service_id"), row.day("date"), runs


def _frequency(row: Row) -> tuple[Any, ...]:
    start, end = row.time_seconds("start_time"), row.time_seconds("end_time")
    headway = row.integer("headway_secs")
    if start is None or end is None:
        raise row.broken("start_time or end_time is empty")
    if headway == 0:
        raise row.broken("headway_secs is 0")
    if end < start:
        raise row.broken("end_time lies before start_time")
    if (end - start) > headway * FREQUENCY_RUNS_MAX:
        raise row.broken(f"more than {FREQUENCY_RUNS_MAX} runs in one row")
    return row.required("trip_id"), start, end, headway


TABLES: Final = (
    Table(
        file="agency.txt",
        name="gtfs_agency",
        columns="agency_id text, name text, timezone text",
        header=("agency_name", "agency_timezone"),
        parse=_agency,
    ),
    Table(
        file="stops.txt",
        name="gtfs_stop",
        columns=(
            "stop_id text, code text, name text, latitude float8, "
            "longitude float8, timezone text, kind int, parent text"
        ),
        header=("stop_id",),
        parse=_stop,
    ),
    Table(
        file="routes.txt",
        name="gtfs_route",
        columns="route_id text, agency_id text, short_name text, long_name text, kind int",
        header=("route_id", "route_type"),
        parse=_route,
    ),
    Table(
        file="trips.txt",
        name="gtfs_trip",
        columns="trip_id text, route_id text, service_id text, short_name text, headsign text",
        header=("trip_id", "route_id", "service_id"),
        parse=_trip,
    ),
    Table(
        file="stop_times.txt",
        name="gtfs_stop_time",
        columns=(
            "trip_id text, stop_sequence int, stop_id text, arrival int, "
            "departure int, shape_distance float8, pickup bool, drop_off bool"
        ),
        header=("trip_id", "stop_sequence"),
        parse=_stop_time,
    ),
    Table(
        file="calendar.txt",
        name="gtfs_calendar",
        columns="service_id text, weekdays int, start_date date, end_date date",
        header=("service_id", *_WEEKDAYS, "start_date", "end_date"),
        parse=_calendar,
        optional=True,
    ),
    Table(
        file="calendar_dates.txt",
        name="gtfs_calendar_date",
        columns="service_id text, date date, runs bool",
        header=("service_id", "date", "exception_type"),
        parse=_calendar_date,
        optional=True,
    ),
    Table(
        file="frequencies.txt",
        name="gtfs_frequency",
        columns="trip_id text, start_time int, end_time int, headway int",
        header=("trip_id", "start_time", "end_time", "headway_secs"),
        parse=_frequency,
        optional=True,
    ),
)

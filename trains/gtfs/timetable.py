"""Turn the staged trips into the trains we want.

Leaves three temporary tables: `gtfs_train` (one row for each distinct train), `gtfs_call` (its
stops) and `gtfs_train_service` (the services it runs on). Trips of one number with the same stops
and times are one train that runs on all their services.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

from django.db import connection

from trains.gtfs.numbers import clock_suffix
from trains.gtfs.progress import Progress
from trains.gtfs.report import Remarks
from trains.gtfs.runs import NotSellable, Run, build_run, shifted, signature
from trains.gtfs.staging import column_names, copy_rows, create_table
from trains.gtfs.trips import Trip, guess_unit_km, read_trips
from trains.models import Train

NAME_LENGTH_MAX: Final = 200
_BATCH_TRIPS: Final = 500
_BUS_TYPES: Final = frozenset({3, 11, *range(200, 300), *range(700, 900)})

_RUN_COLUMNS: Final = (
    "id int, trip_id text, service_id text, feed_number text, name text, mode text, timezone text, "
    "signature text, first_departure int, duration_seconds int, distance_km numeric(8,1)"
)
_DECISION_COLUMNS: Final = "train_id bigint, number text, fate text"
_CALL_COLUMNS: Final = (
    "run_id int, sequence int, station_id bigint, arrival int, departure int, "
    "distance_km numeric(8,1), pickup bool, drop_off bool"
)

_SERVICES: Final = """
INSERT INTO gtfs_train_service (run_id, service_id)
SELECT DISTINCT min(id) OVER (PARTITION BY feed_number, signature), service_id FROM gtfs_train
"""
_MERGE: Final = """
DELETE FROM gtfs_train one USING gtfs_train_first first
 WHERE one.feed_number = first.feed_number AND one.signature = first.signature
   AND one.id > first.id
"""
_FIRST: Final = """
CREATE TEMP TABLE gtfs_train_first ON COMMIT DROP AS
SELECT feed_number, signature, min(id) AS id FROM gtfs_train GROUP BY feed_number, signature
"""


def stage_trains(trips: int, remarks: Remarks, progress: Progress) -> None:
    """Build and stage every train of the feed that can be sold by the seat.

    `trips` is their number, for the progress bar. Raises `FeedBroken` for times that go back.
    """
    create_table("gtfs_train", f"{_RUN_COLUMNS}, {_DECISION_COLUMNS}")
    create_table("gtfs_call", _CALL_COLUMNS)
    create_table("gtfs_train_service", "run_id int, service_id text")
    unit = guess_unit_km()
    if unit is None:
        remarks.add("feed's distances are in no unit we know, great circles are used", "all trips")
    frequencies = _read_frequencies()
    progress.begin("building trains", trips)
    stream = read_trips()
    last_id = 0
    while batch := list(islice(stream, _BATCH_TRIPS)):
        runs = list(_number(_runs(batch, unit, frequencies, remarks), last_id))
        last_id += len(runs)
        copy_rows("gtfs_train", column_names(_RUN_COLUMNS), map(_train_row, runs))
        copy_rows("gtfs_call", column_names(_CALL_COLUMNS), _call_rows(runs))
        progress.advance(len(batch))
    _merge(remarks)


def mode_of(route_type: int) -> str:
    """Bus for GTFS route types 3, 11 and the extended 200s, 700s and 800s, else rail."""
    return Train.Mode.BUS if route_type in _BUS_TYPES else Train.Mode.RAIL


def feed_number(trip: Trip, run: Run, *, in_series: bool) -> str:
    """What the feed calls a run: `12951`; without a number of its own the route's and the time.

    A run of a series (`frequencies.txt`) always has the time: `7-0615`, `7-0630`, ….
    """
    base = trip.short_name or trip.route_short_name or trip.route_id
    if trip.short_name and not in_series:
        return base[:NAME_LENGTH_MAX]
    suffix = clock_suffix(run.stops[0].departure)
    return f"{base[: NAME_LENGTH_MAX - 1 - len(suffix)]}-{suffix}"


def _read_frequencies() -> dict[str, list[tuple[int, int, int]]]:
    """Start, end (not included) and headway of each series, in seconds, by trip."""
    series: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT trip_id, start_time, end_time, headway FROM gtfs_frequency ORDER BY line"
        )
        for trip_id, start, end, headway in cursor:
            series[trip_id].append((start, end, headway))
    return series


def _runs(
    trips: Iterable[Trip],
    unit_km: float | None,
    frequencies: dict[str, list[tuple[int, int, int]]],
    remarks: Remarks,
) -> Iterator[tuple[Trip, Run, str]]:
    for trip in trips:
        try:
            run = build_run(trip.calls, shape_unit_km=unit_km)
        except NotSellable as why:
            remarks.add(f"trips left out, {why}", trip.trip_id)
            continue
        if run.overlaps:
            kind = "stays cut short because the next stop is reached earlier, on trips"
            remarks.add(kind, trip.trip_id, run.overlaps)
        if not run.has_distance:
            remarks.add("trips of unknown length (no distances, no coordinates)", trip.trip_id)
        if trip.trip_id not in frequencies:
            yield trip, run, feed_number(trip, run, in_series=False)
            continue
        for start, end, headway in frequencies[trip.trip_id]:
            for begin in range(start, end, headway):
                one = shifted(run, begin - run.stops[0].departure)
                yield trip, one, feed_number(trip, one, in_series=True)


def _number(
    runs: Iterable[tuple[Trip, Run, str]], last_id: int
) -> Iterator[tuple[int, Trip, Run, str]]:
    for number, (trip, run, called) in enumerate(runs, start=last_id + 1):
        yield number, trip, run, called


def _train_row(numbered: tuple[int, Trip, Run, str]) -> tuple[Any, ...]:
    number, trip, run, called = numbered
    name = trip.route_long_name or trip.headsign or trip.route_short_name or trip.route_id
    return (
        number,
        trip.trip_id,
        trip.service_id,
        called,
        name[:NAME_LENGTH_MAX],
        mode_of(trip.route_type),
        trip.timezone,
        signature(run, trip.timezone),
        run.stops[0].departure,
        run.duration_seconds,
        run.distance_km,
    )


def _call_rows(runs: Iterable[tuple[int, Trip, Run, str]]) -> Iterator[tuple[Any, ...]]:
    for number, _, run, _ in runs:
        for sequence, stop in enumerate(run.stops):
            yield (
                number,
                sequence,
                stop.station_id,
                stop.arrival,
                stop.departure,
                stop.distance_km,
                stop.pickup,
                stop.drop_off,
            )


def _merge(remarks: Remarks) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS gtfs_train_first")
        cursor.execute(_SERVICES)
        cursor.execute(_FIRST)
        cursor.execute("ANALYZE gtfs_train, gtfs_train_first")
        cursor.execute(_MERGE)
        if cursor.rowcount > 0:
            remarks.add("trips repeat a train on other days and were merged", "", cursor.rowcount)
        cursor.execute("CREATE UNIQUE INDEX ON gtfs_train (id)")
        cursor.execute("CREATE INDEX ON gtfs_call (run_id)")
        cursor.execute("ANALYZE gtfs_train, gtfs_call, gtfs_train_service")

"""Read the staged trips back, one at a time, in the order of their ids."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from django.db import connection

from trains.gtfs.distances import along_great_circles, along_shape, unit_km
from trains.gtfs.runs import Call

_FETCH_ROWS: Final = 5000
_SAMPLE_TRIPS: Final = 400

# A platform without a place of its own is where its station is.
_STREAM: Final = """
SELECT t.trip_id, t.service_id, t.short_name, t.headsign, r.route_id, r.short_name, r.long_name,
       r.kind, a.timezone,
       st.line, ss.station_id, st.arrival, st.departure, st.shape_distance, st.pickup, st.drop_off,
       coalesce(s.latitude, station.latitude), coalesce(s.longitude, station.longitude)
  FROM gtfs_trip t
  JOIN gtfs_route r USING (route_id)
  JOIN gtfs_agency a ON r.agency_id IS NULL OR a.agency_id = r.agency_id
  LEFT JOIN gtfs_stop_time st USING (trip_id)
  LEFT JOIN gtfs_stop s USING (stop_id)
  LEFT JOIN gtfs_stop_station ss USING (stop_id)
  LEFT JOIN trains_station station ON station.id = ss.station_id
 {filter}
 ORDER BY t.trip_id COLLATE "C", st.stop_sequence
"""
_TRIP_COLUMNS: Final = 9
_SAMPLE: Final = f"""
WHERE t.trip_id IN (SELECT trip_id FROM gtfs_trip ORDER BY md5(trip_id), trip_id
                     LIMIT {_SAMPLE_TRIPS})
"""  # noqa: S608  # constants only


@dataclass(frozen=True, slots=True)
class Trip:
    """A trip with what its route and agency say of it, and its calls in order."""

    calls: tuple[Call, ...]
    trip_id: str
    service_id: str
    short_name: str | None
    headsign: str | None
    route_id: str
    route_short_name: str | None
    route_long_name: str | None
    route_type: int
    timezone: str


def read_trips(condition: str = "") -> Iterator[Trip]:
    """All staged trips, through a cursor on the server: memory holds one of them."""
    rows: Iterator[Any] = _rows(_STREAM.format(filter=condition))
    for trip, group in groupby(rows, key=lambda row: row[:_TRIP_COLUMNS]):
        calls = tuple(Call(*row[_TRIP_COLUMNS:]) for row in group if row[_TRIP_COLUMNS])
        yield Trip(calls, *trip)


def guess_unit_km() -> float | None:
    """The feed's unit of distance, from a sample of its trips (see `distances.unit_km`)."""
    ratios = []
    for trip in read_trips(_SAMPLE):
        shape = along_shape([call.shape_distance for call in trip.calls]) if trip.calls else None
        circles = along_great_circles([call.point for call in trip.calls])
        if shape and circles:
            ratios.append(shape[-1] / circles[-1])
    return unit_km(ratios)


def _rows(query: str) -> Iterator[Any]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(query)
        while rows := cursor.fetchmany(_FETCH_ROWS):
            yield from rows

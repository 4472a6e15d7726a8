"""Whatever a feed says, saying it twice changes nothing."""

import random
import tempfile
from pathlib import Path

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.trains.gtfs.feeds import GOOD, STOP_TIMES_HEADER, calendar, write_feed
from trains.gtfs.import_feed import import_feed
from trains.gtfs.report import ImportReport

STOPS = [f"S{number}" for number in range(6)]
SERVICES = ["WORK,1,1,1,1,1,0,0,20200101,20991231", "END,0,0,0,0,0,1,1,20200101,20991231"]
# Few choices, so that names, places, numbers and times meet often.
_places = st.tuples(st.sampled_from(["Alpha", "Beta"]), st.integers(0, 6), st.booleans())
_pauses = st.tuples(st.integers(0, 3), st.integers(0, 2), st.booleans(), st.booleans())
_trips = st.tuples(
    st.sampled_from(["101", "102", ""]),
    st.sampled_from(["WORK", "END"]),
    st.integers(5, 7),
    st.lists(st.sampled_from(STOPS), min_size=1, max_size=5),
    st.lists(_pauses, min_size=5, max_size=5),
    st.booleans(),
)


@st.composite
def feeds(draw: st.DrawFn) -> dict[str, list[str]]:
    """Files of a valid feed, header first."""
    stops = ["stop_id,stop_name,stop_lat,stop_lon"]
    for stop_id, (name, place, known) in zip(STOPS, draw(st.tuples(*[_places] * 6)), strict=True):
        stops.append(f"{stop_id},{name},{10 + place / 1000 if known else 0},{70 if known else 0}")
    trips = ["route_id,service_id,trip_id,trip_short_name"]
    times = [STOP_TIMES_HEADER + ",pickup_type"]
    series = ["trip_id,start_time,end_time,headway_secs"]
    for number, trip in enumerate(draw(st.lists(_trips, min_size=1, max_size=5))):
        called, service, hour, stop_ids, pauses, repeats = trip
        trips.append(f"R,{service},T{number},{called}")
        minute = hour * 60
        for sequence, stop_id in enumerate(stop_ids):
            ride, stay, blank, forbidden = pauses[sequence]
            arrival, departure = minute + ride, minute + ride + stay
            minute = departure
            inner = 0 < sequence < len(stop_ids) - 1
            both = "," if blank and inner else f"{_clock(arrival)},{_clock(departure)}"
            times.append(f"T{number},{both},{stop_id},{sequence},{int(forbidden)}")
        if repeats:
            series.append(f"T{number},20:00:00,21:00:00,1800")
    files = {"stops.txt": stops, "trips.txt": trips, "stop_times.txt": times}
    return files | {"frequencies.txt": series, "calendar.txt": calendar(*SERVICES).splitlines()}


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}:00"


def _import(files: dict[str, list[str]]) -> ImportReport:
    text = {name: "\n".join(rows) for name, rows in files.items()}
    with tempfile.TemporaryDirectory() as folder:
        return import_feed(path=write_feed(Path(folder), {**GOOD, **text}))


@pytest.mark.django_db
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(files=feeds(), seed=st.integers(0, 1000))
def test_a_second_import_changes_nothing_in_whatever_order_the_rows_come(
    files: dict[str, list[str]], seed: int
) -> None:
    with transaction.atomic():
        first = _import(files)
        assert _import(files).is_unchanged
        shuffled = {
            name: [rows[0], *random.Random(seed).sample(rows[1:], len(rows) - 1)]
            for name, rows in files.items()
        }
        again = _import(shuffled)
        assert again.is_unchanged
        assert again.trains.total == first.trains.total
        transaction.set_rollback(True)

"""A broken feed is refused with file, line and reason, and nothing of it stays."""

import pytest

from tests.trains.gtfs.conftest import Changes, ImportTiny
from tests.trains.gtfs.feeds import GOOD, calendar, run, stop_times, trips
from trains.gtfs.errors import FeedBroken
from trains.models import Feed, ServiceCalendar, Station, Train

pytestmark = pytest.mark.django_db

STOPS = GOOD["stops.txt"].strip()
TIMES = GOOD["stop_times.txt"].strip()


def replaced(file: str, old: str, new: str) -> dict[str, str]:
    assert old in GOOD[file]
    return {file: GOOD[file].replace(old, new, 1)}


CASES: list[tuple[Changes, str, int | None, str]] = [
    ({"stops.txt": None}, "stops.txt", None, "no such file"),
    ({"calendar.txt": None}, "calendar.txt", None, "neither this file nor calendar_dates.txt"),
    ({"agency.txt": "agency_name,agency_timezone"}, "agency.txt", 1, "no agency"),
    (replaced("agency.txt", "Asia/Kolkata", "Asia/Nowhere"), "agency.txt", 2, "not a time zone"),
    (replaced("agency.txt", "Asia/Kolkata", "../../etc"), "agency.txt", 2, "not a time zone"),
    (replaced("stops.txt", "B,Beta,10.0", "B,Beta,91"), "stops.txt", 3, "not between -90 and 90"),
    (replaced("stops.txt", "B,Beta,10.0", "B,Beta,north"), "stops.txt", 3, "not a number"),
    (replaced("stops.txt", "B,Beta,10.0", "B,Beta,nan"), "stops.txt", 3, "not between"),
    (replaced("stops.txt", "B,Beta,10.0", "B,Beta,"), "stops.txt", 3, "go together"),
    (replaced("stops.txt", "B,Beta", "A,Beta"), "stops.txt", 3, "'A' appears a second time"),
    (replaced("stops.txt", "B,Beta", ",Beta"), "stops.txt", 3, "stop_id is empty"),
    (replaced("stops.txt", "B,Beta", "B" * 201 + ",Beta"), "stops.txt", 3, "longer than 200"),
    (
        {"stops.txt": "stop_id,stop_name,parent_station\nA,Alpha,X\nB,Beta,\nC,Gamma,"},
        "stops.txt",
        2,
        "parent 'X' is not in stops.txt",
    ),
    (
        {"stops.txt": "stop_id,stop_name,parent_station\nA,Alpha,\nB,Beta,A\nC,Gamma,"},
        "stops.txt",
        3,
        "the parent of 'B' is no station",
    ),
    (
        {"stops.txt": "stop_id,stop_name,location_type\nA,Alpha,2\nB,Beta,\nC,Gamma,"},
        "stop_times.txt",
        2,
        "'A' is an entrance",
    ),
    (replaced("routes.txt", "R,T,", "R,X,"), "routes.txt", 2, "agency_id 'X' is not in agency.txt"),
    (replaced("routes.txt", "Express,2", "Express,train"), "routes.txt", 2, "not a whole number"),
    (replaced("trips.txt", "R,DAILY", "X,DAILY"), "trips.txt", 2, "route_id 'X' is not in"),
    (replaced("trips.txt", "R,DAILY", "R,NEVER"), "trips.txt", 2, "service_id 'NEVER' is not in"),
    ({"trips.txt": trips("R,DAILY,T1,1", "R,DAILY,T1,2")}, "trips.txt", 3, "a second time"),
    (replaced("stop_times.txt", "T1,09", "TX,09"), "stop_times.txt", 3, "trip_id 'TX' is not in"),
    (replaced("stop_times.txt", "B,2", "X,2"), "stop_times.txt", 3, "stop_id 'X' is not in"),
    (replaced("stop_times.txt", "B,2", ",2"), "stop_times.txt", 3, "stop_id is empty"),
    (replaced("stop_times.txt", "B,2", "B,1"), "stop_times.txt", 3, "'T1, 1' appears a second"),
    (replaced("stop_times.txt", "B,2", "B,-2"), "stop_times.txt", 3, "not a whole number"),
    (replaced("stop_times.txt", "09:05:00", "9:5"), "stop_times.txt", 3, "not a time"),
    (replaced("stop_times.txt", "09:05:00", "09:60:00"), "stop_times.txt", 3, "not a time"),
    (replaced("stop_times.txt", "09:05:00", "08:55:00"), "stop_times.txt", 3, "before arrival"),
    (
        {"stop_times.txt": stop_times(*run("T1", "08:00:00", "07:00:00", "10:00:00"))},
        "stop_times.txt",
        3,
        "before it was at the stop before",
    ),
    (
        {"stop_times.txt": stop_times("T1,08:00:00,,A,1,5", more=",pickup_type")},
        "stop_times.txt",
        2,
        "pickup_type is 5, not one of 0, 1, 2, 3",
    ),
    (replaced("calendar.txt", "DAILY,1", "DAILY,2"), "calendar.txt", 2, "monday is 2"),
    (replaced("calendar.txt", "20991231", "20990231"), "calendar.txt", 2, "not a date"),
    (replaced("calendar.txt", "20991231", "2099-12-31"), "calendar.txt", 2, "not a date"),
    (replaced("calendar.txt", "20991231", "20190101"), "calendar.txt", 2, "before start_date"),
    (
        {"calendar.txt": calendar(*["DAILY,1,1,1,1,1,1,1,20200101,20991231"] * 2)},
        "calendar.txt",
        3,
        "a second time",
    ),
    (
        {"calendar_dates.txt": "service_id,date,exception_type\nDAILY,20300101,3"},
        "calendar_dates.txt",
        2,
        "exception_type is 3",
    ),
    (
        {"frequencies.txt": "trip_id,start_time,end_time,headway_secs\nT1,06:00:00,07:00:00,0"},
        "frequencies.txt",
        2,
        "headway_secs is 0",
    ),
    (
        {"frequencies.txt": "trip_id,start_time,end_time,headway_secs\nT1,06:00:00,05:00:00,60"},
        "frequencies.txt",
        2,
        "before start_time",
    ),
    (
        {"frequencies.txt": "trip_id,start_time,end_time,headway_secs\nT1,06:00:00,99:00:00,1"},
        "frequencies.txt",
        2,
        "more than 1440 runs",
    ),
    (
        {"frequencies.txt": "trip_id,start_time,end_time,headway_secs\nTX,06:00:00,07:00:00,60"},
        "frequencies.txt",
        2,
        "trip_id 'TX' is not in",
    ),
]


@pytest.mark.parametrize(("changes", "file", "line", "reason"), CASES)
def test_a_broken_feed_is_refused_whole(
    tiny: ImportTiny, changes: Changes, file: str, line: int | None, reason: str
) -> None:
    with pytest.raises(FeedBroken) as caught:
        tiny(changes)
    assert (caught.value.file, caught.value.line) == (file, line)
    assert reason in caught.value.reason
    for model in (Feed, Station, ServiceCalendar, Train):
        assert not model.objects.exists()


def test_a_broken_version_of_a_known_feed_leaves_the_known_one(tiny: ImportTiny) -> None:
    tiny()
    with pytest.raises(FeedBroken):
        tiny(replaced("stop_times.txt", "10:00:00,10:00:00", "08:30:00,08:30:00"))
    assert tiny().is_unchanged

"""What becomes of a feed that is imported for the first time."""

import shutil
import zipfile
from datetime import date
from pathlib import Path

import pytest
from django.db.models import Count

from config.outbox.models import OutboxEvent
from tests.trains.gtfs.conftest import ImportTiny
from tests.trains.gtfs.feeds import calendar, run, stop_times, trips, write_feed
from trains.gtfs.import_feed import import_feed
from trains.models import Feed, FeedStop, Seat, ServiceCalendar, Station, Stop, Train

pytestmark = pytest.mark.django_db
HOUR = 3600


def numbers() -> list[str]:
    return sorted(Train.objects.values_list("number", flat=True))


def stops_of(number: str) -> list[tuple[str, int, int]]:
    rows = Stop.objects.filter(train__number=number).order_by("sequence")
    return list(rows.values_list("station__code", "arrival_seconds", "departure_seconds"))


def test_a_train_has_its_stops_days_coaches_and_seats(tiny: ImportTiny) -> None:
    report = tiny()
    train = Train.objects.get()
    assert (train.number, train.name, train.mode) == ("101", "Tiny Express", "rail")
    assert (train.timezone, train.feed_number) == ("Asia/Kolkata", "101")
    assert stops_of("101") == [
        ("A", 8 * HOUR, 8 * HOUR),
        ("B", 9 * HOUR, 9 * HOUR + 300),
        ("C", 10 * HOUR, 10 * HOUR),
    ]
    distances = [float(stop.distance_km) for stop in train.stops.order_by("sequence")]
    assert distances == pytest.approx([0, 109.5, 219.0], abs=0.1)
    (service,) = train.calendars.all()
    assert (service.service_id, service.weekdays) == ("DAILY", 127)
    assert (service.start_date, service.end_date) == (date(2020, 1, 1), date(2099, 12, 31))
    assert report.trains.new == report.trains.total == 1
    assert report.seats == Seat.objects.filter(train=train).count() > 500
    ordinals = (
        Seat.objects.filter(train=train).order_by("ordinal").values_list("ordinal", flat=True)
    )
    assert list(ordinals) == list(range(report.seats))
    assert report.train_ids == (train.pk,)
    assert not report.warnings


def test_the_feed_is_remembered_and_the_import_is_a_fact(tiny: ImportTiny) -> None:
    tiny()
    feed = Feed.objects.get()
    assert (feed.code, feed.name, feed.timezone) == ("tiny-rail", "Tiny Rail", "Asia/Kolkata")
    assert len(feed.digest) == 64
    assert feed.imported_at is not None
    fact = OutboxEvent.objects.get(kind="feed.imported")
    assert (fact.subject, fact.body["trains_new"]) == ("feed:tiny-rail", 1)
    tiny()
    assert OutboxEvent.objects.filter(kind="feed.imported").count() == 1


def test_a_folder_is_as_good_as_a_zip(tiny: ImportTiny, tmp_path: Path) -> None:
    tiny()
    folder = tmp_path / "folder"
    with zipfile.ZipFile(tmp_path / "feed.zip") as feed:
        feed.extractall(folder)
    assert import_feed(path=folder).is_unchanged
    shutil.rmtree(folder)


def test_files_may_begin_with_a_byte_order_mark_and_quote_their_fields(tiny: ImportTiny) -> None:
    tiny(
        {
            "stops.txt": '\ufeff"stop_id","stop_name","stop_lat","stop_lon"\r\n'
            '"A","Alpha, ""the old""",10.0,70.0\r\n"B",Beta,10.0,71.0\r\n'
            '"C",Gamma,10.0,72.0\r\n'.encode()
        }
    )
    assert Station.objects.get(code="A").name == 'Alpha, "the old"'


def test_blank_times_are_filled_in_by_distance(tiny: ImportTiny) -> None:
    rows = ("T1,08:00:00,08:00:00,A,1,0", "T1,,,B,2,100", "T1,10:00:00,10:00:00,C,3,400")
    tiny({"stop_times.txt": stop_times(*rows, more=",shape_dist_traveled")})
    assert stops_of("101")[1] == ("B", 8 * HOUR + 1800, 8 * HOUR + 1800)


def test_rows_may_come_in_any_order_and_sequences_have_gaps(tiny: ImportTiny) -> None:
    rows = (
        "T1,10:00:00,10:00:00,C,900",
        "T1,08:00:00,08:00:00,A,5",
        "T1,09:00:00,09:05:00,B,70",
    )
    tiny({"stop_times.txt": stop_times(*rows)})
    assert [code for code, *_ in stops_of("101")] == ["A", "B", "C"]
    assert list(Stop.objects.order_by("sequence").values_list("sequence", flat=True)) == [0, 1, 2]


def test_runs_of_several_days_keep_their_hours(tiny: ImportTiny) -> None:
    tiny({"stop_times.txt": stop_times(*run("T1", "23:30:00", "25:10:00", "73:00:01"))})
    assert [arrival for _, arrival, _ in stops_of("101")] == [84_600, 90_600, 262_801]


def test_a_stop_visited_twice_is_two_stops_of_the_train(tiny: ImportTiny) -> None:
    rows = (*run("T1", "08:00:00", "09:00:00", "10:00:00"), "T1,11:00:00,11:00:00,A,4")
    tiny({"stop_times.txt": stop_times(*rows)})
    assert [code for code, *_ in stops_of("101")] == ["A", "B", "C", "A"]
    assert Station.objects.count() == 3


def test_forbidden_pickup_and_drop_off_are_kept(tiny: ImportTiny) -> None:
    rows = ("T1,08:00:00,08:00:00,A,1,0,1", "T1,09:00:00,09:05:00,B,2,1,", "T1,10:00:00,,C,3,3,2")
    tiny({"stop_times.txt": stop_times(*rows, more=",pickup_type,drop_off_type")})
    rules = Stop.objects.order_by("sequence").values_list("pickup", "drop_off")
    assert list(rules) == [(True, False), (False, True), (True, True)]


def test_trips_of_one_number_stops_and_times_run_on_all_their_days(tiny: ImportTiny) -> None:
    same = ("08:00:00", "09:00:00", "10:00:00")
    report = tiny(
        {
            "trips.txt": trips("R,WORK,T1,101", "R,SUN,T2,101"),
            "stop_times.txt": stop_times(*run("T1", *same), *run("T2", *same)),
            "calendar.txt": calendar(
                "WORK,1,1,1,1,1,0,0,20200101,20991231", "SUN,0,0,0,0,0,0,1,20200101,20991231"
            ),
        }
    )
    services = Train.objects.get().calendars.order_by("service_id")
    assert [service.service_id for service in services] == ["SUN", "WORK"]
    assert any("merged" in remark for remark in report.remarks)


def test_trips_of_one_number_with_other_times_get_a_suffix(tiny: ImportTiny) -> None:
    tiny(
        {
            "trips.txt": trips("R,DAILY,T2,101", "R,DAILY,T1,101", "R,DAILY,T3,102"),
            "stop_times.txt": stop_times(
                *run("T1", "08:00:00", "09:00:00"),
                *run("T2", "12:00:00", "13:00:00"),
                *run("T3", "12:00:00", "13:00:00"),
            ),
        }
    )
    assert numbers() == ["101", "101-2", "102"]
    assert stops_of("101")[0][1] == 8 * HOUR
    assert stops_of("101-2")[0][1] == 12 * HOUR


def test_without_a_trip_short_name_the_route_and_the_time_make_the_number(
    tiny: ImportTiny,
) -> None:
    tiny(
        {
            "trips.txt": "route_id,service_id,trip_id\nR,DAILY,T1\nR,DAILY,T2\nQ,DAILY,T3",
            "routes.txt": "route_id,route_long_name,route_type\nR,Red,2\nQ,,3",
            "stop_times.txt": stop_times(
                *run("T1", "06:15:00", "09:00:00"),
                *run("T2", "25:10:30", "26:00:00"),
                *run("T3", "07:00:00", "08:00:00"),
            ),
        }
    )
    assert numbers() == ["Q-0700", "R-0615", "R-251030"]


def test_a_headsign_names_a_train_whose_route_has_no_long_name(tiny: ImportTiny) -> None:
    tiny(
        {
            "trips.txt": "route_id,service_id,trip_id,trip_headsign\nR,DAILY,T1,To the sea",
            "routes.txt": "route_id,route_short_name,route_type\nR,7,3",
        }
    )
    train = Train.objects.get()
    assert (train.number, train.name, train.mode) == ("7-0800", "To the sea", "bus")


def test_each_run_of_a_series_is_a_train(tiny: ImportTiny) -> None:
    tiny(
        {
            "frequencies.txt": "trip_id,start_time,end_time,headway_secs,exact_times\n"
            "T1,06:00:00,07:00:00,1800,1\nT1,23:00:00,24:30:00,3600,0\n"
        }
    )
    assert numbers() == ["101-0600", "101-0630", "101-2300", "101-2400"]
    assert stops_of("101-0630") == [
        ("A", 23_400, 23_400),
        ("B", 27_000, 27_300),
        ("C", 30_600, 30_600),
    ]


def test_series_that_overlap_make_each_run_once(tiny: ImportTiny) -> None:
    tiny(
        {
            "frequencies.txt": "trip_id,start_time,end_time,headway_secs\n"
            "T1,06:00:00,07:00:00,1800\nT1,06:30:00,07:30:00,1800\n"
        }
    )
    assert numbers() == ["101-0600", "101-0630", "101-0700"]


def test_days_may_be_told_by_calendar_dates_alone(tiny: ImportTiny) -> None:
    tiny(
        {
            "calendar.txt": None,
            "calendar_dates.txt": "service_id,date,exception_type\n"
            "DAILY,20300105,1\nDAILY,20300101,1\nDAILY,20300103,2",
        }
    )
    service = ServiceCalendar.objects.get()
    assert service.weekdays == 0
    assert (service.start_date, service.end_date) == (date(2030, 1, 1), date(2030, 1, 5))
    days = service.exceptions.order_by("date").values_list("date", "runs")
    assert list(days) == [
        (date(2030, 1, 1), True),
        (date(2030, 1, 3), False),
        (date(2030, 1, 5), True),
    ]


def test_times_are_in_the_zone_of_the_agency_and_clocks_in_that_of_the_stop(
    tiny: ImportTiny,
) -> None:
    tiny(
        {
            "agency.txt": "agency_id,agency_name,agency_timezone\n"
            "E,East,Asia/Kolkata\nW,West,Europe/Paris",
            "routes.txt": "route_id,agency_id,route_short_name,route_type\nR,W,R1,2",
            "stops.txt": "stop_id,stop_name,stop_lat,stop_lon,stop_timezone\n"
            "A,Alpha,51.5,0.1,Europe/London\nB,Beta,48.8,2.3,\nC,Gamma,45.7,4.8,",
        },
        feed_code="two-zones",
    )
    assert Train.objects.get().timezone == "Europe/Paris"
    zones = dict(Station.objects.values_list("code", "timezone"))
    assert zones == {"A": "Europe/London", "B": "Asia/Kolkata", "C": "Asia/Kolkata"}


def test_platforms_are_one_station_and_null_island_is_nowhere(tiny: ImportTiny) -> None:
    tiny(
        {
            "stops.txt": """
                stop_id,stop_code,stop_name,stop_lat,stop_lon,location_type,parent_station
                A,,Alpha platform 1,10.0,70.0,0,AS
                AS,ALP,Alpha,10.0,70.0,1,
                Ae,,Alpha entrance,10.0,70.0,2,AS
                B,,Beta,0,0,,
                B2,,Beta,0.0,0.0,,
                C,G,Gamma,10.0,72.0,,
                C2,G2,gamma,10.001,72.0,,
            """,
        }
    )
    assert sorted(Station.objects.values_list("code", "name")) == [
        ("ALP", "Alpha"), ("B", "Beta"), ("B2", "Beta"), ("G", "Gamma"),
    ]  # fmt: skip
    assert Station.objects.get(code="B").latitude is None
    grouped = dict(FeedStop.objects.values_list("stop_id", "station__code"))
    assert grouped == {"A": "ALP", "AS": "ALP", "B": "B", "B2": "B2", "C": "G", "C2": "G"}


def test_a_stop_code_that_names_two_stations_names_none(tiny: ImportTiny) -> None:
    tiny(
        {
            "stops.txt": "stop_id,stop_code,stop_name,stop_lat,stop_lon\n"
            "A,1,Alpha,10,70\nB,1,Beta,10,71\nC,X,Gamma,10,72"
        }
    )
    assert sorted(Station.objects.values_list("code", flat=True)) == ["A", "B", "X"]


def test_the_unit_of_distance_is_found_out(tiny: ImportTiny) -> None:
    rows = (
        "T1,08:00:00,08:00:00,A,1,0",
        "T1,09:00:00,09:05:00,B,2,120000",
        "T1,10:00:00,10:00:00,C,3,250000.0",
    )
    tiny({"stop_times.txt": stop_times(*rows, more=",shape_dist_traveled")})
    distances = Stop.objects.order_by("sequence").values_list("distance_km", flat=True)
    assert [float(one) for one in distances] == [0.0, 120.0, 250.0]


def test_what_cannot_be_sold_by_the_seat_is_left_out_and_named(tiny: ImportTiny) -> None:
    many = (f"LONG,{n // 60 + 5:02}:{n % 60:02}:00,,A,{n}" for n in range(129))
    report = tiny(
        {
            "trips.txt": trips(
                "R,DAILY,T1,101", "R,DAILY,LONG,7", "R,DAILY,EMPTY,8", "R,DAILY,F,9"
            ),
            "stop_times.txt": stop_times(
                *(row + "," for row in run("T1", "08:00:00", "09:00:00")),
                *(row + "," for row in many),
                "F,08:00:00,08:00:00,,1,zone",
                "F,09:00:00,09:00:00,,2,zone",
                more=",location_id",
            ),
        }
    )
    assert numbers() == ["101"]
    said = "\n".join(report.remarks)
    assert "2 trips left out, it has not 2 to 128 stops: EMPTY, LONG" in said
    assert "1 trips left out, it stops on demand, not at stations: F" in said


def test_two_feeds_stand_side_by_side(tiny: ImportTiny) -> None:
    other = {
        "agency.txt": "agency_id,agency_name,agency_timezone\nO,Other,Europe/Berlin",
        "routes.txt": "route_id,route_short_name,route_type\nR,R1,2",
        "trips.txt": trips("R,DAILY,T1,101", "R,DAILY,T2,102"),
        "stop_times.txt": stop_times(
            *run("T1", "08:00:00", "09:00:00", "10:00:00"), *run("T2", "08:00:00", "09:00:00")
        ),
        "stops.txt": "stop_id,stop_name,stop_lat,stop_lon\n"
        "A,Aachen,50.7,6.0\nB,Bonn,50.7,7.1\nC2,Celle,52.6,10.0\nC,Chur,46.8,9.5",
    }
    tiny()
    report = tiny(other)
    assert report.feed == "other"
    assert numbers() == ["101", "102", "other:101"]
    assert sorted(Station.objects.values_list("code", flat=True)) == [
        "A", "B", "C", "C2", "other:A", "other:B", "other:C",
    ]  # fmt: skip
    assert Station.objects.get(code="A").name == "Alpha"
    assert [code for code, *_ in stops_of("other:101")] == ["other:A", "other:B", "other:C"]
    assert Train.objects.get(number="102").timezone == "Europe/Berlin"
    assert tiny(other).is_unchanged
    assert tiny().is_unchanged


def test_a_stranger_under_the_name_of_a_known_feed_is_refused_unless_named(
    tiny: ImportTiny,
) -> None:
    tiny()
    stranger = {
        "stops.txt": "stop_id,stop_name,stop_lat,stop_lon\nX,Xanten,51,6\nY,York,54,-1",
        "stop_times.txt": stop_times("T1,08:00:00,,X,1", "T1,09:00:00,,Y,2"),
    }
    with pytest.raises(Exception, match="shares no stop with the feed 'tiny-rail'"):
        tiny(stranger)
    assert tiny(stranger, feed_code="stranger").stations.new == 2
    assert numbers() == ["101", "stranger:101"]


def test_long_journeys_get_long_trains(tiny: ImportTiny) -> None:
    far = "stop_id,stop_name,stop_lat,stop_lon\nA,Alpha,10,70\nB,Beta,10,72\nC,Gamma,10,75"
    tiny(
        {
            "stops.txt": far,
            "trips.txt": trips("R,DAILY,T1,1", "R,DAILY,T2,2", "Q,DAILY,T3,3", "Q,DAILY,T4,4"),
            "routes.txt": "route_id,route_short_name,route_type\nR,R1,2\nQ,Q1,700",
            "stop_times.txt": stop_times(
                *run("T1", "08:00:00", "10:00:00", "14:00:00"),
                *run("T2", "08:00:00", "09:00:00"),
                *run("T3", "08:00:00", "09:00:00"),
                *run("T4", "20:00:00", "27:00:00"),
            ),
        }
    )
    sizes = Train.objects.order_by("number").annotate(
        size=Count("coaches", distinct=True), places=Count("seats", distinct=True)
    )
    coaches = {train.number: (train.size, train.places) for train in sizes}
    assert coaches["1"][0] == 14
    assert coaches["1"][1] >= 900
    assert 1 < coaches["2"][0] < 14
    assert coaches["3"][0] == coaches["4"][0] == 1
    assert coaches["3"] != coaches["4"]


def test_a_dry_run_tells_the_same_and_writes_nothing(tiny: ImportTiny) -> None:
    dry = tiny(dry_run=True)
    assert (Feed.objects.count(), Station.objects.count(), Train.objects.count()) == (0, 0, 0)
    wet = tiny()
    assert (dry.trains, dry.stations, dry.seats) == (wet.trains, wet.stations, wet.seats)
    assert wet.seats == Seat.objects.count()
    assert tiny(dry_run=True).is_unchanged


def test_a_feed_may_have_folders_and_files_we_do_not_know(tmp_path: Path) -> None:
    path = write_feed(tmp_path, {"fare_rules.txt": b"\xff\xff", "extra/readme.md": "hello"})
    assert import_feed(path=path).trains.new == 1

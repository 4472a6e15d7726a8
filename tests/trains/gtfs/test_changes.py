"""A changed feed: what nobody counts on follows, everything else stays as it was sold."""

from datetime import date, timedelta

import pytest

from config import clock
from config.outbox.models import OutboxEvent
from reservations.models import Booking, SeatBlock
from tests.trains.gtfs.conftest import Changes, ImportTiny, Passengers
from tests.trains.gtfs.feeds import calendar, run, stop_times, trips
from trains import hooks
from trains.gtfs.errors import SeatsTakenMeanwhile
from trains.models import Departure, FeedStop, Seat, ServiceCalendar, Station, Stop, Train
from trains.services.open_departures import open_departures
from users.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("monday_morning")]
WINDOW = 13
"""Two weeks with today."""
NEVER = "DAILY,0,0,0,0,0,0,0,20200101,20991231"
LATER: Changes = {"stop_times.txt": stop_times(*run("T1", "09:00:00", "10:00:00", "12:30:00"))}


def to_come(number: str = "101") -> list[Departure]:
    departures = Departure.objects.filter(train__number=number, ends_at__gt=clock.now())
    return list(departures.order_by("service_date"))


def on_sale(number: str = "101") -> list[Departure]:
    return [departure for departure in to_come(number) if departure.status == "open"]


def first_times() -> dict[str, int]:
    rows = Stop.objects.filter(sequence=0).values_list("train__number", "departure_seconds")
    return dict(rows)


@pytest.fixture
def sold(tiny: ImportTiny, passengers: Passengers) -> Departure:
    """The good feed on sale, and its fourth departure in somebody's hands."""
    tiny()
    open_departures(window_days=WINDOW)
    departure = on_sale()[3]
    passengers.departures.add(departure.pk)
    return departure


def test_a_train_nobody_has_touched_gets_its_new_times(
    tiny: ImportTiny, passengers: Passengers
) -> None:
    tiny()
    open_departures(window_days=WINDOW)
    before = on_sale()
    train = Train.objects.get()
    Departure.objects.filter(pk=before[1].pk).update(status="closed")
    Departure.objects.filter(pk=before[2].pk).update(fare_factor=2)

    report = tiny(LATER)
    assert report.trains.changed == 1
    assert report.trains.new == 0
    assert first_times() == {"101": 9 * 3600}
    after = to_come()
    assert [one.pk for one in after] == [one.pk for one in before]
    assert all(now.revision > then.revision for now, then in zip(after, before, strict=True))
    assert {one.ends_at - one.starts_at for one in after} == {timedelta(hours=12, minutes=30)}
    assert [one.status for one in after][:3] == ["open", "closed", "open"]
    assert [float(one.fare_factor) for one in after][:3] == [1, 1, 2]
    assert Train.objects.get().revision > train.revision
    assert Seat.objects.filter(train=train).count() == Seat.objects.count()
    assert tiny(LATER).is_unchanged
    assert not passengers.departures


@pytest.mark.parametrize("change", [LATER, {"calendar.txt": calendar(NEVER)}])
def test_departures_that_change_are_announced(
    tiny: ImportTiny, passengers: Passengers, change: Changes
) -> None:
    tiny()
    open_departures(window_days=WINDOW)
    touched = {f"departure:{one.pk}" for one in on_sale()}
    tiny(change)
    facts = OutboxEvent.objects.filter(kind="departure.changed", consumed_at=None)
    assert touched == set(facts.values_list("subject", flat=True))
    assert not passengers.departures


def test_a_train_with_passengers_keeps_its_times_and_the_new_ones_run_beside_it(
    tiny: ImportTiny, sold: Departure
) -> None:
    report = tiny(LATER)
    assert first_times() == {"101": 8 * 3600, "101-2": 9 * 3600}
    assert [one.pk for one in on_sale("101")] == [sold.pk]
    assert Train.objects.get(number="101").calendars.count() == 0
    sold_again = Departure.objects.get(pk=sold.pk)
    assert (sold_again.starts_at, sold_again.ends_at) == (sold.starts_at, sold.ends_at)
    assert any("101 (now 101-2)" in remark for remark in report.remarks)

    assert open_departures(window_days=WINDOW, train_ids=report.train_ids) == WINDOW
    successor = {one.service_date: one.status for one in to_come("101-2")}
    assert successor.pop(sold.service_date) == "closed"
    assert set(successor.values()) == {"open"}
    assert tiny(LATER).is_unchanged
    assert open_departures(window_days=WINDOW) == 0


def test_a_train_that_was_ever_sold_keeps_its_stops(tiny: ImportTiny, sold: Departure) -> None:
    with clock.moved(timedelta(days=30)):
        tiny(LATER)
    assert first_times() == {"101": 8 * 3600, "101-2": 9 * 3600}
    assert not Departure.objects.filter(train__number="101-2").exists()
    assert Departure.objects.filter(pk=sold.pk).exists()


def test_the_old_timetable_coming_back_is_the_old_train(tiny: ImportTiny, sold: Departure) -> None:
    open_departures(train_ids=tiny(LATER).train_ids, window_days=WINDOW)
    assert len(on_sale("101-2")) == WINDOW
    report = tiny()
    assert report.trains.new == 0
    assert Train.objects.get(number="101").calendars.count() == 1
    assert Train.objects.get(number="101-2").calendars.count() == 0
    assert on_sale("101-2") == []
    assert len(on_sale("101")) == WINDOW + 1
    assert sold in on_sale("101")


def test_a_third_timetable_takes_over_the_unsold_second(tiny: ImportTiny, sold: Departure) -> None:
    tiny(LATER)
    third = {"stop_times.txt": stop_times(*run("T1", "11:00:00", "12:00:00", "13:00:00"))}
    assert tiny(third).trains.changed == 1
    assert first_times() == {"101": 8 * 3600, "101-2": 11 * 3600}
    assert Departure.objects.filter(pk=sold.pk).exists()


def test_a_day_the_older_train_keeps_is_not_given_back_to_the_new_one(
    tiny: ImportTiny, sold: Departure
) -> None:
    open_departures(train_ids=tiny(LATER).train_ids, window_days=WINDOW)
    day = f"service_id,date,exception_type\nDAILY,{sold.service_date:%Y%m%d},2"
    tiny({**LATER, "calendar_dates.txt": day})
    tiny(LATER)
    assert sold.service_date not in [one.service_date for one in on_sale("101-2")]
    assert len(on_sale("101-2")) == WINDOW


def test_a_seat_taken_while_the_import_runs_stops_it(
    tiny: ImportTiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny()
    open_departures(window_days=WINDOW)
    answers = iter([set[int](), set[int](), {on_sale()[2].pk}])
    monkeypatch.setattr(hooks, "_keepers", [lambda _: next(answers)])
    with pytest.raises(SeatsTakenMeanwhile, match="101: run the import again"):
        tiny(LATER)
    assert first_times() == {"101": 8 * 3600}


def test_days_that_are_dropped_go_unless_somebody_has_a_seat(
    tiny: ImportTiny, sold: Departure
) -> None:
    extra = Departure.objects.create(
        train=sold.train,
        service_date=sold.service_date + timedelta(days=70),
        starts_at=sold.starts_at + timedelta(days=70),
        ends_at=sold.ends_at + timedelta(days=70),
        sale_opens_at=sold.sale_opens_at,
    )
    day = sold.service_date.weekday()
    days = ",".join("0" if n == day else "1" for n in range(7))
    one_day_less = {"calendar.txt": calendar(f"DAILY,{days},20200101,20341231")}
    Departure.objects.filter(pk=extra.pk).update(service_date=date(2035, 1, 1))
    ServiceCalendar.objects.update(end_date=date(2034, 12, 31))

    report = tiny(one_day_less)
    left = on_sale()
    same_weekday = [one for one in left if one.service_date.weekday() == day]
    assert [one.pk for one in same_weekday if one.pk != extra.pk] == [sold.pk]
    assert extra in left
    assert report.departures.closed == 1
    assert any("seats are taken" in remark for remark in report.remarks)
    assert report.train_ids == (sold.train_id,)
    assert tiny(one_day_less).is_unchanged


def test_a_single_day_can_be_taken_away(tiny: ImportTiny, sold: Departure) -> None:
    gone = on_sale()[5].service_date
    tiny({"calendar_dates.txt": f"service_id,date,exception_type\nDAILY,{gone:%Y%m%d},2"})
    assert gone not in [one.service_date for one in on_sale()]
    assert sold in on_sale()
    tiny()
    assert gone in [one.service_date for one in on_sale()]


def test_a_train_the_feed_drops_runs_no_more_but_keeps_what_was_sold(
    tiny: ImportTiny, sold: Departure
) -> None:
    without = {
        "trips.txt": trips("R,DAILY,T2,102"),
        "stop_times.txt": stop_times(*run("T2", "08:00:00", "09:00:00", "10:00:00")),
    }
    report = tiny(without)
    assert (report.trains.new, report.trains.removed) == (1, 1)
    assert on_sale("101") == [sold]
    assert open_departures(train_ids=[sold.train_id]) == 0
    assert tiny(without).is_unchanged
    again = tiny()
    assert (again.trains.changed, again.departures.reopened) == (1, WINDOW)
    assert len(on_sale("101")) == WINDOW + 1


def test_new_calendars_for_the_same_days_change_no_departure(
    tiny: ImportTiny, sold: Departure
) -> None:
    before = on_sale()
    renamed = {
        "trips.txt": trips("R,EVERY,T1,101"),
        "calendar.txt": calendar("EVERY,1,1,1,1,1,1,1,20200101,20991231"),
    }
    report = tiny(renamed)
    assert (report.calendars.new, report.calendars.removed) == (1, 1)
    assert report.departures.is_unchanged
    assert on_sale() == before
    assert sold in before


def test_names_follow_and_codes_stay(tiny: ImportTiny, sold: Departure) -> None:
    revision = Train.objects.get().revision
    station = Station.objects.get(code="A").pk
    report = tiny(
        {
            "stops.txt": "stop_id,stop_code,stop_name,stop_lat,stop_lon\n"
            "A,NEW,Alpha Central,10.0,70.0\nB,,Beta,10.0,71.0\nC,,Gamma,10.0,72.0",
            "routes.txt": "route_id,route_short_name,route_long_name,route_type\nR,R1,Express,2",
        }
    )
    assert (report.stations.changed, report.trains.changed) == (1, 1)
    renamed = Station.objects.get(code="A")
    assert (renamed.pk, renamed.name) == (station, "Alpha Central")
    train = Train.objects.get()
    assert (train.name, train.pk) == ("Express", sold.train_id)
    assert train.revision > revision


def test_platforms_that_move_to_another_station_take_unsold_trains_along(
    tiny: ImportTiny, passengers: Passengers
) -> None:
    tiny()
    apart = {
        "stops.txt": "stop_id,stop_name,stop_lat,stop_lon\n"
        "A,Alpha,10.0,70.0\nB,Beta,10.0,71.0\nB2,Beta,10.0,71.001\nC,Gamma,10.0,72.0"
    }
    report = tiny(apart)
    assert (report.stations.total, report.stations.changed) == (3, 1)
    assert FeedStop.objects.get(stop_id="B2").station.code == "B"
    split = {"stops.txt": apart["stops.txt"].replace("71.001", "71.5")}
    assert tiny(split).stations.new == 1
    assert FeedStop.objects.get(stop_id="B2").station.code == "B2"
    assert tiny(split).is_unchanged
    assert not passengers.departures


def test_distances_follow_unless_fares_were_paid_by_them(
    tiny: ImportTiny, passengers: Passengers
) -> None:
    def measured(last: int) -> Changes:
        rows = (
            "T1,08:00:00,08:00:00,A,1,0",
            "T1,09:00:00,09:05:00,B,2,150",
            f"T1,10:00:00,10:00:00,C,3,{last}",
        )
        return {"stop_times.txt": stop_times(*rows, more=",shape_dist_traveled")}

    tiny()
    open_departures(window_days=WINDOW)
    assert tiny(measured(300)).trains.changed == 1
    assert float(Stop.objects.get(sequence=2).distance_km) == 300
    passengers.departures.add(on_sale()[0].pk)
    report = tiny(measured(400))
    assert report.is_unchanged
    assert float(Stop.objects.get(sequence=2).distance_km) == 300
    assert any("old distances" in remark for remark in report.remarks)


def test_coaches_belong_to_staff_once_the_train_is_there(
    tiny: ImportTiny, passengers: Passengers
) -> None:
    tiny()
    train = Train.objects.get()
    train.coaches.filter(label="D1").update(travel_class="SL")
    report = tiny(LATER)
    assert report.coaches == report.seats == 0
    assert train.coaches.get(label="D1").travel_class == "SL"
    assert not passengers.departures


@pytest.mark.parametrize("status", [Booking.Status.CONFIRMED, Booking.Status.CANCELLED])
def test_the_engine_says_what_was_booked(tiny: ImportTiny, status: str) -> None:
    tiny()
    open_departures(window_days=WINDOW)
    departure = on_sale()[3]
    Booking.objects.create(hold="h", pnr="P", departure=departure, status=status)
    tiny(LATER)
    assert [one.pk for one in on_sale("101")] == [departure.pk]


def test_the_engine_says_what_staff_blocked(tiny: ImportTiny) -> None:
    tiny()
    open_departures(window_days=WINDOW)
    departure = on_sale()[3]
    SeatBlock.objects.create(
        departure=departure,
        seat=Seat.objects.filter(train=departure.train).earliest("ordinal"),
        reason="broken",
        created_by=User.objects.create_user("controller", "controller@example.org"),
    )
    tiny(LATER)
    assert [one.pk for one in on_sale("101")] == [departure.pk]


def test_a_dry_run_of_a_change_changes_nothing(tiny: ImportTiny, sold: Departure) -> None:
    before = on_sale()
    dry = tiny(LATER, dry_run=True)
    assert on_sale() == before
    assert first_times() == {"101": 8 * 3600}
    wet = tiny(LATER)
    assert (dry.trains, dry.departures, dry.calendars) == (
        wet.trains,
        wet.departures,
        wet.calendars,
    )
    assert sold in before

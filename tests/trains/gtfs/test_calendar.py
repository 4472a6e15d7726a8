"""Feeds that are over, and how they are moved onto today."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db.models import Min
from hypothesis import given
from hypothesis import strategies as st

from config import clock
from tests.trains.gtfs.conftest import ImportTiny
from tests.trains.gtfs.feeds import calendar
from trains.gtfs.calendars import Period, shift_days
from trains.models import Departure, ServiceCalendar, ServiceException, Train
from trains.services.open_departures import open_departures

DAYS = st.dates(date(1990, 1, 1), date(2060, 1, 1))
# Weekdays only, with a holiday on Monday, 1 May, and an extra run on Saturday, 6 May 2017.
OVER = {
    "calendar.txt": calendar("DAILY,1,1,1,1,1,0,0,20170501,20171231"),
    "calendar_dates.txt": "service_id,date,exception_type\nDAILY,20170501,2\nDAILY,20170506,1",
}


@given(first=DAYS, length=st.integers(0, 900), gap=st.integers(1, 5000))
def test_a_period_that_is_over_moves_by_whole_weeks_to_include_today(
    first: date, length: int, gap: int
) -> None:
    period = Period(first, first + timedelta(days=length))
    today = period.last + timedelta(days=gap)
    days = shift_days(period, today)
    assert days % 7 == 0
    moved = Period(period.first + timedelta(days=days), period.last + timedelta(days=days))
    assert moved.last >= today
    if length >= 6:
        assert today - timedelta(days=6) <= moved.first <= today
    else:
        assert moved.last <= today + timedelta(days=6)


def test_a_move_made_before_is_kept_while_it_reaches_today() -> None:
    period = Period(date(2017, 1, 1), date(2017, 12, 31))
    assert shift_days(period, date(2026, 6, 1), kept_days=3276) == 3276
    assert shift_days(period, date(2026, 12, 31), kept_days=3276) != 3276
    assert shift_days(period, date(2026, 6, 1), kept_days=3277) != 3277


@pytest.mark.django_db
def test_an_expired_calendar_is_a_loud_warning_and_nothing_runs(tiny: ImportTiny) -> None:
    report = tiny(OVER)
    (warning,) = report.warnings
    assert "THE CALENDAR IS OVER: the last day is 2017-12-31" in warning
    assert "--shift-calendar" in warning
    assert open_departures() == 0


@pytest.mark.django_db
def test_a_shifted_calendar_keeps_its_weekdays_and_its_exceptions(tiny: ImportTiny) -> None:
    report = tiny(OVER, shift_calendar=True)
    assert report.shifted_days > 0
    assert report.shifted_days % 7 == 0
    service = ServiceCalendar.objects.get()
    today = clock.now().date()
    assert service.start_date.weekday() == 0
    assert today - timedelta(days=7) <= service.start_date <= today + timedelta(days=1)
    days = dict(ServiceException.objects.values_list("date", "runs"))
    assert {(day - service.start_date).days: runs for day, runs in days.items()} == {
        0: False,
        5: True,
    }
    open_departures(window_days=13)
    weekdays = {day.weekday() for day in Departure.objects.values_list("service_date", flat=True)}
    assert {0, 1, 2, 3, 4} <= weekdays


@pytest.mark.django_db
def test_a_shifted_feed_stays_where_it_is_until_it_is_over_again(tiny: ImportTiny) -> None:
    first = tiny(OVER, shift_calendar=True)
    with clock.moved(timedelta(days=100)):
        again = tiny(OVER, shift_calendar=True)
    assert again.is_unchanged
    assert again.shifted_days == first.shifted_days
    with clock.moved(timedelta(days=300)):
        later = tiny(OVER, shift_calendar=True)
    assert later.shifted_days > first.shifted_days


@pytest.mark.django_db
def test_a_feed_that_is_not_over_is_not_moved(tiny: ImportTiny) -> None:
    report = tiny(shift_calendar=True)
    assert report.shifted_days == 0
    assert not report.warnings
    earliest = ServiceCalendar.objects.aggregate(day=Min("start_date"))["day"]
    assert earliest == date(2020, 1, 1)


@pytest.mark.django_db
def test_a_feed_that_begins_later_or_never_runs_says_so(tiny: ImportTiny) -> None:
    later = tiny({"calendar.txt": calendar("DAILY,1,1,1,1,1,1,1,20900101,20991231")})
    assert later.warnings == ("no train runs before 2090-01-01",)
    never = tiny({"calendar.txt": calendar("DAILY,0,0,0,0,0,0,0,20200101,20991231")})
    assert "NOTHING RUNS" in never.warnings[0]


@pytest.mark.django_db
def test_a_calendar_no_trip_uses_does_not_keep_a_feed_alive(tiny: ImportTiny) -> None:
    unused = "OTHER,1,1,1,1,1,1,1,20200101,20991231"
    report = tiny({"calendar.txt": calendar("DAILY,1,1,1,1,1,1,1,20170101,20171231", unused)})
    assert "OVER" in report.warnings[0]
    assert ServiceCalendar.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("service_date", "leaves_at"),
    [
        # Paris: clocks go forward at 02:00 on 31 March 2030, back at 03:00 on 27 October 2030.
        (date(2030, 3, 30), datetime(2030, 3, 30, 7, tzinfo=UTC)),
        (date(2030, 3, 31), datetime(2030, 3, 31, 6, tzinfo=UTC)),
        (date(2030, 10, 27), datetime(2030, 10, 27, 7, tzinfo=UTC)),
        (date(2030, 10, 28), datetime(2030, 10, 28, 7, tzinfo=UTC)),
    ],
)
def test_eight_in_the_morning_is_eight_on_the_day_the_clocks_change(
    tiny: ImportTiny, service_date: date, leaves_at: datetime
) -> None:
    agency = "agency_id,agency_name,agency_timezone\nT,Tiny Rail,Europe/Paris"
    tiny({"agency.txt": agency})
    noon = datetime.combine(service_date, datetime.min.time(), UTC) + timedelta(hours=12)
    with clock.moved(noon - clock.now()):
        open_departures(window_days=0)
    departure = Departure.objects.get(train=Train.objects.get(), service_date=service_date)
    assert departure.starts_at + timedelta(hours=8) == leaves_at
    assert departure.ends_at == leaves_at + timedelta(hours=2)

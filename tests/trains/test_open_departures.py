"""Departures over a rolling window, from calendars and their exceptions."""

from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from annotated_types import Le
from django.core.management import CommandError, call_command

from config import clock
from config.environment import Environment
from config.outbox.models import OutboxEvent
from tests.trains.conftest import MakeTrain
from tests.trains.rivals import Rival, after_statement
from trains import limits, sale, tasks
from trains.models import Departure, ServiceCalendar, ServiceException, Train
from trains.services.open_departures import open_departures

WINDOW = 60


def _dates(train: Train) -> list[date]:
    found = Departure.objects.filter(train=train).order_by("service_date")
    return list(found.values_list("service_date", flat=True))


def _today() -> date:
    return sale.local_date(clock.now(), "Asia/Kolkata")


def _at(moment: datetime) -> timedelta:
    """By how much to move the clock so that it shows this moment."""
    return moment - clock.now()


def test_every_date_from_today_to_the_last_of_the_window(make_train: MakeTrain) -> None:
    train = make_train()
    assert open_departures() == WINDOW + 1
    assert _dates(train) == [_today() + timedelta(days=n) for n in range(WINDOW + 1)]


def test_a_second_run_adds_nothing_and_changes_nothing(make_train: MakeTrain) -> None:
    make_train()
    open_departures()
    Departure.objects.update(status="closed", fare_factor=2)
    before = list(Departure.objects.order_by("pk").values())
    assert open_departures() == 0
    assert list(Departure.objects.order_by("pk").values()) == before


def test_the_window_rolls_on_with_the_clock(make_train: MakeTrain) -> None:
    make_train()
    open_departures()
    with clock.moved(timedelta(days=2)):
        assert open_departures() == 2


def test_only_the_weekdays_of_the_calendar(make_train: MakeTrain) -> None:
    train = make_train(weekdays=0b0100101)  # Monday, Wednesday, Saturday
    open_departures()
    assert {day.weekday() for day in _dates(train)} == {0, 2, 5}


def test_calendars_join_and_each_has_its_span(make_train: MakeTrain) -> None:
    today = _today()
    train = make_train(starts=today + timedelta(days=2), ends=today + timedelta(days=3))
    train.calendars.add(
        ServiceCalendar.objects.create(
            service_id="later", weekdays=127, start_date=today + timedelta(days=WINDOW)
        )
    )
    open_departures()
    assert _dates(train) == [today + timedelta(days=n) for n in (2, 3, WINDOW)]


def test_exceptions_add_and_take_single_dates(make_train: MakeTrain) -> None:
    today = _today()
    train = make_train(ends=today + timedelta(days=2))
    calendar = train.calendars.get()
    ServiceException.objects.create(calendar=calendar, date=today + timedelta(days=1), runs=False)
    ServiceException.objects.create(calendar=calendar, date=today + timedelta(days=30), runs=True)
    open_departures()
    assert _dates(train) == [today + timedelta(days=n) for n in (0, 2, 30)]


def test_a_date_one_calendar_takes_away_another_may_still_give(make_train: MakeTrain) -> None:
    today = _today()
    train = make_train(ends=today)
    ServiceException.objects.create(calendar=train.calendars.get(), date=today, runs=False)
    other = ServiceCalendar.objects.create(
        service_id="other", weekdays=127, start_date=today, end_date=today
    )
    train.calendars.add(other)
    open_departures()
    assert _dates(train) == [today]


def test_a_run_under_way_since_yesterday_is_opened_but_none_that_is_over(
    make_train: MakeTrain,
) -> None:
    noon = datetime.combine(_today(), datetime.min.time(), UTC) + timedelta(hours=6, minutes=30)
    still, over = make_train("100", hours=(20, 30, 40)), make_train("200", hours=(20, 30, 35))
    with clock.moved(_at(noon)):  # 12:00 in India: 36:00 of yesterday's service day
        open_departures()
    yesterday = noon.date() - timedelta(days=1)
    assert _dates(still)[0] == yesterday
    assert _dates(over)[0] == yesterday + timedelta(days=1)


def test_trains_may_be_named(make_train: MakeTrain) -> None:
    chosen, other = make_train("100"), make_train("200")
    assert open_departures(train_ids=[chosen.pk], window_days=3) == 4
    assert not other.departures.exists()
    assert open_departures(train_ids=[]) == 0


def test_a_train_without_stops_has_no_departures(make_train: MakeTrain) -> None:
    train = make_train()
    train.stops.all().delete()
    assert open_departures() == 0


@pytest.mark.parametrize("days", [-1, 401])
def test_a_window_out_of_bounds_is_refused(days: int) -> None:
    with pytest.raises(ValueError, match="window"):
        open_departures(window_days=days)


def test_the_widest_window_an_operator_may_set_can_be_opened() -> None:
    bounds = Environment.model_fields["sale_window_days"].metadata
    assert [bound.le for bound in bounds if isinstance(bound, Le)] == [limits.DAYS_AHEAD_MAX]


def test_all_dates_are_on_sale_but_the_last_waits_for_the_opening_hour(
    make_train: MakeTrain,
) -> None:
    make_train()
    seven = datetime.combine(_today(), datetime.min.time(), UTC) + timedelta(hours=1, minutes=30)
    with clock.moved(_at(seven)):  # 07:00 in India, SALE_OPENS_AT is 08:00
        open_departures()
    departures = list(Departure.objects.order_by("service_date"))
    waiting = [d.service_date for d in departures if d.sale_opens_at > seven + timedelta(minutes=1)]
    assert waiting == [seven.date() + timedelta(days=WINDOW)]
    assert departures[-1].sale_opens_at == seven + timedelta(hours=1)


# Both changes of the clock in a year, in zones north, south, without any, and at Lord Howe's half
# hour; and a zone whose midnight does not exist on the day it changes.
@pytest.mark.parametrize(
    "timezone",
    [
        "Asia/Kolkata",
        "Europe/Berlin",
        "America/Los_Angeles",
        "Australia/Lord_Howe",
        "America/Santiago",
    ],
)
def test_postgres_and_python_agree_on_every_moment_of_a_year(
    make_train: MakeTrain, timezone: str
) -> None:
    make_train(timezone=timezone)
    open_departures(window_days=400)
    departures = list(Departure.objects.all())
    assert len(departures) == 401
    for departure in departures:
        starts_at = sale.service_day_starts_at(departure.service_date, timezone)
        assert departure.starts_at == starts_at
        assert departure.ends_at == starts_at + timedelta(hours=12)
        assert departure.sale_opens_at == sale.opens_at(
            departure.service_date,
            timezone,
            window_days=400,
            hour=datetime(2000, 1, 1, 8, tzinfo=UTC).time(),
        )


def test_noon_is_noon_on_the_days_clocks_change(make_train: MakeTrain) -> None:
    make_train(timezone="Europe/Berlin", hours=(8, 12, 20))
    with clock.moved(_at(datetime(2031, 3, 20, 12, tzinfo=UTC))):
        open_departures()
    spring = Departure.objects.get(service_date=date(2031, 3, 30))
    assert sale.moment_at(spring.starts_at, 12 * 3600) == datetime(2031, 3, 30, 10, tzinfo=UTC)
    day_before = Departure.objects.get(service_date=date(2031, 3, 29))
    assert sale.moment_at(day_before.starts_at, 12 * 3600) == datetime(2031, 3, 29, 11, tzinfo=UTC)


@pytest.mark.django_db(transaction=True)
def test_two_at_once_open_each_departure_once(make_train: MakeTrain) -> None:
    for number in ("100", "200", "300"):
        make_train(number)
    rival = Rival(act=open_departures)

    def let_the_rival_come() -> None:
        rival.start()
        rival.wait_until_blocked()

    with after_statement("INSERT INTO trains_departure", let_the_rival_come):
        assert open_departures() == 3 * (WINDOW + 1)
    assert rival.finish() == 0
    assert Departure.objects.count() == 3 * (WINDOW + 1)


def test_opening_by_the_clock_is_no_fact(make_train: MakeTrain) -> None:
    """A day of a national railway would be thousands of facts nobody decided."""
    make_train()
    open_departures()
    assert not OutboxEvent.objects.exists()


def test_the_task_opens_the_window(make_train: MakeTrain) -> None:
    make_train()
    tasks.open_departures()
    assert Departure.objects.count() == WINDOW + 1


def test_the_command_opens_what_it_is_told(make_train: MakeTrain) -> None:
    make_train("100")
    make_train("200")
    said = StringIO()
    call_command("open_departures", "--days", "2", "--train", "200", stdout=said)
    assert said.getvalue() == "3 departures opened\n"
    assert set(Departure.objects.values_list("train__number", flat=True)) == {"200"}


@pytest.mark.parametrize("arguments", [["--days", "-1"], ["--days", "999"], ["--train", "none"]])
def test_the_command_refuses_what_it_cannot_do(make_train: MakeTrain, arguments: list[str]) -> None:
    make_train()
    with pytest.raises(CommandError):
        call_command("open_departures", *arguments)

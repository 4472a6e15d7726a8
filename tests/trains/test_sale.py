"""When a stretch is on sale."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from trains.sale import (
    SaleState,
    day_bounds,
    is_within_window,
    local_date,
    opens_at,
    sale_state,
    service_day_starts_at,
)

NOON = datetime(2030, 5, 1, 12, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("now", "status", "state"),
    [
        (NOON - timedelta(days=60) - MOMENT, "open", SaleState.NOT_YET_OPEN),
        (NOON - timedelta(days=60), "open", SaleState.OPEN),
        (NOON - MOMENT, "open", SaleState.OPEN),
        (NOON, "open", SaleState.LEFT),
        (NOON - MOMENT, "closed", SaleState.CLOSED),
        (NOON - timedelta(days=90), "closed", SaleState.CLOSED),
        (NOON, "closed", SaleState.LEFT),
    ],
)
def test_on_sale_from_its_opening_until_it_leaves_the_boarding_stop(
    now: datetime, status: str, state: SaleState
) -> None:
    assert state is sale_state(
        now=now, status=status, sale_opens_at=NOON - timedelta(days=60), boards_at=NOON
    )


def test_a_run_that_set_out_is_still_sold_at_the_stops_ahead() -> None:
    opened = NOON - timedelta(days=60)
    at_first, later = NOON - timedelta(hours=3), NOON + timedelta(hours=3)
    states = [
        sale_state(now=NOON, status="open", sale_opens_at=opened, boards_at=boards_at)
        for boards_at in (at_first, later)
    ]
    assert states == [SaleState.LEFT, SaleState.OPEN]


def test_the_window_holds_today_and_its_last_day() -> None:
    today = date(2030, 5, 1)
    inside = [
        is_within_window(today + timedelta(days=n), today=today, window_days=60)
        for n in (-1, 0, 60, 61)
    ]
    assert inside == [False, True, True, False]


def test_the_date_of_a_moment_is_that_of_the_stations_clock() -> None:
    late = datetime(2030, 5, 1, 20, tzinfo=UTC)
    assert local_date(late, "Asia/Kolkata") == date(2030, 5, 2)
    assert local_date(late, "America/Los_Angeles") == date(2030, 5, 1)


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2030, 3, 31), 23), (date(2030, 10, 27), 25), (date(2030, 6, 1), 24)],
)
def test_a_local_day_has_23_to_25_hours(day: date, hours: int) -> None:
    start, end = day_bounds(day, "Europe/Berlin")
    assert end - start == timedelta(hours=hours)
    assert local_date(start, "Europe/Berlin") == day
    assert local_date(end - MOMENT, "Europe/Berlin") == day


def test_the_service_day_is_counted_from_noon() -> None:
    plain = service_day_starts_at(date(2030, 6, 1), "Europe/Berlin")
    autumn = service_day_starts_at(date(2030, 10, 27), "Europe/Berlin")
    assert plain == datetime(2030, 5, 31, 22, tzinfo=UTC)
    assert autumn == datetime(2030, 10, 26, 23, tzinfo=UTC)


def test_a_sale_opens_at_the_local_hour() -> None:
    opening = opens_at(date(2030, 5, 1), "Asia/Kolkata", window_days=60, hour=time(8))
    assert opening == datetime(2030, 3, 2, 2, 30, tzinfo=UTC)

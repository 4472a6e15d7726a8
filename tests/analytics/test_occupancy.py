"""How full a departure is: seat-legs, and right again after what was cancelled."""

from dataclasses import replace
from typing import Any

import pytest
from pymongo.database import Database

from analytics.reports.occupancy import Occupancy, Wanted, occupancy
from analytics.shipping.shipper import ship_pending
from config.outbox.facts import Fact, append
from tests.availability import railway
from trains.models import Departure, Train

Mongo = Database[dict[str, Any]]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("streams", "mongo")]


def book(
    pnr: str, departure: Departure, *, seats: list[int], stops: tuple[int, int] = (0, 4)
) -> None:
    body = {
        "hold": f"h-{pnr}",
        "pnr": pnr,
        "departure": departure.pk,
        "train": departure.train.number,
        "service_date": departure.service_date.isoformat(),
        "from_stop": stops[0],
        "to_stop": stops[1],
        "seat_ids": seats,
    }
    identity = f"h-{pnr}:confirmed"
    append(Fact(event_id=identity, kind="booking.confirmed", subject=pnr, stage=3, body=body))


def cancel(pnr: str, departure: Departure, *, seats: list[int], number: int = 0) -> None:
    body = {"pnr": pnr, "departure": departure.pk, "seat_ids": seats}
    append(
        Fact(
            event_id=f"{pnr}:cancelled:{number}",
            kind="booking.cancelled",
            subject=pnr,
            stage=4,
            number=number,
            body=body,
        )
    )


def make_train(number: str, *, seats: int = 8) -> Train:
    """Five stops, so four legs, and one coach."""
    stops = ("AAA", "BBB", "CCC", "DDD", "EEE")
    return railway.train(number, stops=stops, coaches=(("S1", "SL", seats),))


def run(*, seats: int = 8) -> Departure:
    return railway.departure(make_train("11057", seats=seats))


def around(departure: Departure) -> Wanted:
    return Wanted(first_date=departure.service_date, last_date=departure.service_date)


def only(departure: Departure) -> Occupancy:
    ship_pending()
    count, (row,) = occupancy(wanted=around(departure), limit=20, offset=0)
    assert count == 1
    return row


def test_a_seat_sold_for_half_the_way_fills_half_a_seat() -> None:
    departure = run(seats=10)
    book("A", departure, seats=[1, 2])
    book("B", departure, seats=[3], stops=(0, 2))
    book("C", departure, seats=[3], stops=(2, 4))
    book("D", departure, seats=[4], stops=(1, 2))
    row = only(departure)
    assert (row.departure, row.train, row.service_date) == (
        departure.pk, "11057", departure.service_date,
    )  # fmt: skip
    assert (row.seats, row.legs, row.seats_sold, row.seat_legs_sold) == (10, 4, 4, 13)
    assert row.share == pytest.approx(13 / 40)


def test_a_cancelled_booking_is_taken_off_and_its_seat_can_be_sold_again() -> None:
    departure = run()
    book("A", departure, seats=[1, 2])
    book("B", departure, seats=[5], stops=(0, 1))
    cancel("A", departure, seats=[1, 2])
    assert only(departure).seat_legs_sold == 1
    book("C", departure, seats=[1])
    assert only(departure).seat_legs_sold == 5


def test_parts_of_a_booking_can_be_cancelled_one_after_the_other() -> None:
    departure = run()
    book("A", departure, seats=[1, 2, 3])
    cancel("A", departure, seats=[2], number=1)
    assert only(departure).seats_sold == 2
    cancel("A", departure, seats=[3], number=2)
    assert only(departure).seats_sold == 1


def test_a_departure_with_everything_cancelled_is_empty_and_still_listed() -> None:
    departure = run()
    book("A", departure, seats=[1])
    cancel("A", departure, seats=[1])
    assert (only(departure).seats_sold, only(departure).share) == (0, 0.0)


def test_departures_come_by_date_in_pages_and_by_train() -> None:
    train, other = make_train("11057"), make_train("11058")
    runs = [railway.departure(train, days_ahead=day) for day in (4, 3)]
    runs.append(railway.departure(other, days_ahead=3))
    for number, each in enumerate(runs):
        book(f"P{number}", each, seats=[1])
    ship_pending()
    window = Wanted(first_date=runs[1].service_date, last_date=runs[0].service_date)

    count, rows = occupancy(wanted=window, limit=2, offset=0)
    assert (count, [row.departure for row in rows]) == (3, [runs[1].pk, runs[2].pk])
    count, rows = occupancy(wanted=window, limit=2, offset=2)
    assert (count, [row.departure for row in rows]) == (3, [runs[0].pk])
    count, rows = occupancy(wanted=replace(window, train="11058"), limit=20, offset=0)
    assert (count, [row.departure for row in rows]) == (1, [runs[2].pk])


def test_a_named_departure_is_shown_although_nothing_is_sold() -> None:
    departure = run()
    count, (row,) = occupancy(
        wanted=replace(around(departure), departure=departure.pk), limit=20, offset=0
    )
    assert (count, row.seats_sold, row.share) == (1, 0, 0.0)
    unknown = replace(around(departure), departure=departure.pk + 1000)
    assert occupancy(wanted=unknown, limit=20, offset=0) == (0, [])

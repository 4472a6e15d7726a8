"""What PostgreSQL says of seats, as images."""

from typing import Any

import pytest
from django.db import connection

from reservations.availability import plans
from reservations.availability.stretches import Stretch
from reservations.availability.taken_rows import _TAKEN, read_taken
from reservations.models import BookedSeat, Booking, SeatBlock
from tests.availability import railway
from tests.availability.paper import nothing_taken, take
from tests.engine import Traveller
from trains.models import Departure

pytestmark = pytest.mark.django_db


def sell(departure: Departure, ordinal: int, legs: tuple[int, int], **fields: Any) -> None:
    booking = Booking.objects.create(
        hold=f"{departure.id}-{ordinal}-{legs[0]}", departure=departure, status="confirmed"
    )
    seat = departure.train.seats.get(ordinal=ordinal)
    BookedSeat.objects.create(booking=booking, departure=departure, seat=seat, legs=legs, **fields)


def test_live_rows_are_sold_and_blocks_are_blocked_over_all_legs(
    anna: Traveller, departure: Departure
) -> None:
    sell(departure, 0, (0, 2))
    sell(departure, 0, (3, 4))
    sell(departure, 1, (1, 2), live=False)
    sell(departure, 9, (1, 4))
    other = railway.departure(departure.train, days_ahead=7)
    sell(other, 5, (0, 1))
    SeatBlock.objects.create(
        departure=departure,
        seat=departure.train.seats.get(ordinal=3),
        created_by=anna.user,
        reason="quota",
    )
    asked = plans.plans_of([departure.id, other.id])
    train = asked[departure.id].train
    found = read_taken(asked)

    sold, blocked = nothing_taken(train), nothing_taken(train)
    for ordinal, legs in ((0, Stretch(0, 2)), (0, Stretch(3, 4)), (9, Stretch(1, 4))):
        take(train, sold, [ordinal], legs)
    take(train, blocked, [3], Stretch(0, 4))
    assert found[departure.id].sold.tolist() == sold.tolist()
    assert found[departure.id].blocked.tolist() == blocked.tolist()
    assert found[other.id].sold.sum() == 1
    assert not found[other.id].blocked.any()


def test_of_chosen_seats_only_theirs_are_read(departure: Departure) -> None:
    sell(departure, 0, (0, 2))
    sell(departure, 1, (0, 2))
    asked = plans.plans_of([departure.id])
    train = asked[departure.id].train
    found = read_taken(asked, [int(train.seat_ids[1])])[departure.id]
    assert found.sold[:, 0].nonzero()[0].tolist() == [1]


def test_a_seat_the_plan_does_not_know_is_left_out(departure: Departure) -> None:
    asked = plans.plans_of([departure.id])
    coach = departure.train.coaches.get(label="S1")
    coach.capacity = 9
    coach.save()
    sell(departure, 16, (0, 2))
    assert not read_taken(asked)[departure.id].sold.any()


def test_a_train_without_seats_has_an_empty_image(departure: Departure) -> None:
    bare = railway.departure(railway.train("10109", coaches=()))
    asked = plans.plans_of([bare.id, departure.id])
    assert read_taken(asked)[bare.id].sold.shape == (0, 1)


@pytest.mark.parametrize("departures", [[1], [1, 40_000], [2**40]])
@pytest.mark.parametrize("seats", [None, [1, 2]])
def test_the_index_of_the_exclusion_constraint_serves_it(
    departures: list[int], seats: list[int] | None
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {_TAKEN}", {"departures": departures, "seats": seats})
        plan = [row[0] for row in cursor.fetchall()]
    assert any("seat_sold_once_per_leg" in line for line in plan)
    assert not [line for line in plan if "Filter" in line and "departure_id" in line]

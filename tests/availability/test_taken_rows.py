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
    found = read_taken(asked, {departure.id: [int(train.seat_ids[1])]})[departure.id]
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


# Tables of these names that hide the real ones until the transaction ends: what PostgreSQL plans
# depends on how many rows it believes a table has, and it remembers those of earlier tests.
_A_SEASON = """
CREATE TEMPORARY TABLE reservations_bookedseat
    (LIKE public.reservations_bookedseat INCLUDING INDEXES INCLUDING DEFAULTS) ON COMMIT DROP;
INSERT INTO pg_temp.reservations_bookedseat (id, booking_id, departure_id, seat_id, legs, live)
SELECT row, row, row / 50, row % 50, '[0,4)', TRUE FROM generate_series(1, 20000) AS row;
ANALYZE pg_temp.reservations_bookedseat;
"""
_INDEX_OF_THE_EXCLUSION = """
SELECT indexrelid::regclass::text FROM pg_index
 WHERE indisexclusion AND indrelid = 'pg_temp.reservations_bookedseat'::regclass
"""


@pytest.mark.parametrize("departures", [[1], [1, 40_000], [2**40]])
@pytest.mark.parametrize("seats", [None, [1, 2]])
def test_the_index_of_the_exclusion_constraint_serves_it(
    departures: list[int], seats: list[int] | None
) -> None:
    of_sold_seats, _of_blocks = _TAKEN.split("UNION ALL")
    with connection.cursor() as cursor:
        cursor.execute(_A_SEASON)
        cursor.execute(_INDEX_OF_THE_EXCLUSION)
        [(index,)] = cursor.fetchall()
        cursor.execute(f"EXPLAIN {of_sold_seats}", {"departures": departures, "seats": seats})
        plan = [row[0] for row in cursor.fetchall()]
    assert any(index in line for line in plan)
    assert not [line for line in plan if "Filter" in line]

"""P1: a seat is never sold twice for overlapping legs of one departure. Guarantor: a constraint."""

import threading
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError
from psycopg import errors as pg

from config import clock
from reservations.bookings.insert import NewBooking, Verdict, insert_booking
from reservations.bookings.pnr import new_pnr
from reservations.models import BookedSeat
from tests.engine import Traveller
from tests.promises.guards import table_without
from trains.models import Departure, Seat

pytestmark = pytest.mark.django_db(transaction=True)


def new_booking(
    owner: Traveller, departure: Departure, stretch: tuple[int, int], *numbers: int
) -> NewBooking:
    """A booking past Redis and all services: nothing but PostgreSQL says no."""
    seats = Seat.objects.filter(train=departure.train, ordinal__in=numbers)
    return NewBooking(
        hold=f"direct-{new_pnr()}",
        pnr=new_pnr(),
        owner=owner.user.id,
        departure=departure.id,
        from_stop=stretch[0],
        to_stop=stretch[1],
        fare=Decimal("100.00"),
        currency="INR",
        fence=1,
        created_at=clock.now(),
        seats=[seat.pk for seat in seats],
        passengers=[None] * len(seats),
        fact={},
    )


def test_p1_two_direct_transactions_cannot_both_have_the_seat(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    """The first has written and not committed; the second waits for it, and is refused."""
    first_has_written, verdicts = threading.Event(), {}

    def rival() -> None:
        first_has_written.wait(10)
        verdicts["second"] = insert_booking(new_booking(bela, departure, (1, 3), 0))
        connection.close()

    thread = threading.Thread(target=rival)
    thread.start()
    with transaction.atomic():
        verdicts["first"] = insert_booking(new_booking(anna, departure, (0, 2), 0))
        first_has_written.set()
        thread.join(0.3)  # it must still be waiting for us
        assert thread.is_alive()
    thread.join(10)
    assert verdicts == {"first": Verdict.BOOKED, "second": Verdict.SEAT_TAKEN}
    assert BookedSeat.objects.filter(live=True).count() == 1


def test_p1_without_the_constraint_the_seat_is_sold_twice(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    with table_without("seat_sold_once_per_leg", "reservations_bookedseat"):
        assert insert_booking(new_booking(anna, departure, (0, 2), 0)) is Verdict.BOOKED
        assert insert_booking(new_booking(bela, departure, (1, 3), 0)) is Verdict.BOOKED
        assert BookedSeat.objects.filter(live=True).count() == 2


def test_p1_stretches_that_touch_are_both_sold(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    assert insert_booking(new_booking(anna, departure, (0, 2), 0)) is Verdict.BOOKED
    assert insert_booking(new_booking(bela, departure, (2, 4), 0)) is Verdict.BOOKED
    assert insert_booking(new_booking(bela, departure, (1, 2), 0)) is Verdict.SEAT_TAKEN


def test_p1_holds_for_plain_sql_too(anna: Traveller, departure: Departure) -> None:
    """Not our statement, not our code: a row written by hand is refused as well."""
    insert_booking(new_booking(anna, departure, (0, 4), 0))
    row = BookedSeat.objects.get()
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        BookedSeat.objects.create(
            booking=row.booking, departure=departure, seat_id=row.seat_id, legs=(3, 4)
        )
    assert isinstance(refused.value.__cause__, pg.ExclusionViolation)


def test_opposite_orders_do_not_deadlock(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    """Seats are written in sorted order, whatever the order they were asked in."""
    verdicts: list[Any] = []

    def book(who: Traveller, *, reverse: bool) -> None:
        new = new_booking(who, departure, (0, 4), *range(8))
        seats = sorted(new.seats, reverse=reverse)
        verdicts.append(insert_booking(NewBooking(**{**vars(new), "seats": seats})))
        connection.close()

    threads = [
        threading.Thread(target=book, args=(who,), kwargs={"reverse": reverse})
        for who, reverse in ((anna, False), (bela, True), (anna, True), (bela, False))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(verdict.name for verdict in verdicts) == ["BOOKED", *["SEAT_TAKEN"] * 3]

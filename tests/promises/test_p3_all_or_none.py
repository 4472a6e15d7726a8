"""P3: a hold or a booking of n seats gets all n or none. Guarantors: the script; the transaction.

Under load: `tests/race/test_best_available_storm.py`, `tests/race/test_opposite_orders.py`.
"""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from django.db import IntegrityError

from reservations.bookings import insert
from reservations.bookings.insert import NewBooking, Verdict, insert_booking
from reservations.models import BookedSeat, Booking
from tests.engine import Traveller
from tests.promises.guards import scripts_without
from tests.promises.test_p1_never_sold_twice import new_booking
from tests.promises.test_p2_holds_exclude import lock
from tests.race.guards import GUARDS
from tests.race.invariants import check
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)


def test_p3_a_hold_of_three_seats_gets_all_or_none(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    lock(anna, departure, "S1-2")
    assert lock(bela, departure, "S1-1", "S1-2", "S1-3") == 409
    assert lock(anna, departure, "S1-1") == 201
    assert lock(anna, departure, "S1-3") == 201


def test_p3_a_refused_hold_leaves_nothing_behind(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    lock(anna, departure, "S1-2")
    assert lock(bela, departure, "S1-1", "S1-2", "S1-3") == 409
    check(departure, holds=1)


def test_p3_a_script_that_wrote_while_it_decides_would_keep_seats_of_a_refused_hold(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    """The guard off: bits are set seat by seat, before the last seat is known to be free."""
    lock(anna, departure, "S1-2")
    with scripts_without(*GUARDS["all-or-none"].lua[0]):
        assert lock(bela, departure, "S1-1", "S1-2", "S1-3") == 409
    assert lock(anna, departure, "S1-1") == 409
    with pytest.raises(AssertionError, match="held bits are not the holds"):
        check(departure)


def test_p3_a_booking_of_two_seats_gets_both_or_none(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    insert_booking(new_booking(anna, departure, (0, 4), 1))
    assert insert_booking(new_booking(bela, departure, (0, 4), 0, 1)) is Verdict.SEAT_TAKEN
    assert BookedSeat.objects.count() == 1
    assert Booking.objects.count() == 1


def test_p3_without_the_one_transaction_a_refused_booking_keeps_a_seat(
    anna: Traveller, bela: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard off: each seat is written, and committed, by itself."""
    insert_booking(new_booking(anna, departure, (0, 4), 1))
    real = insert._run

    def seat_by_seat(bookings: Sequence[NewBooking]) -> list[Verdict]:
        (new,) = bookings
        one = replace(new, seats=new.seats[:1], passengers=new.passengers[:1])
        assert real([one]) == [Verdict.BOOKED]
        booking = Booking.objects.get(hold=new.hold)
        legs = (new.from_stop, new.to_stop)
        try:
            for seat in new.seats[1:]:
                BookedSeat.objects.create(
                    booking=booking, departure=departure, seat_id=seat, legs=legs
                )
        except IntegrityError:
            return [Verdict.SEAT_TAKEN]
        return [Verdict.BOOKED]

    monkeypatch.setattr(insert, "_run", seat_by_seat)
    assert insert_booking(new_booking(bela, departure, (0, 4), 0, 1)) is Verdict.SEAT_TAKEN
    assert BookedSeat.objects.filter(booking__owner=bela.user, live=True).count() == 1

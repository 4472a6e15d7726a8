"""Two cancels of one booking at once: one cancels, the other is told that it is cancelled."""

import pytest

from config.outbox.models import OutboxEvent
from reservations.models import BookedSeat, Cancellation
from tests.race.fixtures import Race
from tests.race.invariants import check
from tests.race.riders import Reply
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)


def cancelled_twice(race: Race, departure: Departure, *, without: str = "") -> tuple[Reply, Reply]:
    """The second comes when the first has written and not committed yet.

    first     SELECT FOR UPDATE, UPDATE ............ COMMIT
    second                           SELECT (waits)          confirmed still?
    """
    (owner,) = race.riders(1)
    pnr = owner.book(departure, "S1-1", "S1-2")
    first = race.start(owner.cancel, pnr, stop="cancel.before").reached()
    second = race.start(owner.cancel, pnr, without=without)
    race.await_waiting()
    return first.go().result(), second.result()


def test_the_second_cancel_waits_and_is_refused(race: Race, departure: Departure) -> None:
    first, second = cancelled_twice(race, departure)
    assert (first.status, second.status) == (200, 409)
    assert (second.code, second.body["state"]) == ("illegal-state", "cancelled")
    assert OutboxEvent.objects.filter(kind="booking.cancelled").count() == 1
    check(departure, holds=0)


def test_without_the_row_lock_the_booking_is_cancelled_and_refunded_twice(
    race: Race, departure: Departure
) -> None:
    first, second = cancelled_twice(race, departure, without="cancel-locks-its-row")
    assert (first.status, second.status) == (200, 200)
    assert "refund" in first.body
    assert "refund" in second.body


def test_a_seat_is_given_back_once(race: Race, departure: Departure) -> None:
    first, second = given_back_twice(race, departure)
    assert (first.status, second.status) == (200, 400)
    assert "seats" in second.body["errors"]
    assert _kept_and_given_back() == (1, 1)
    check(departure, holds=0)


def test_without_the_row_lock_a_seat_is_given_back_and_refunded_twice(
    race: Race, departure: Departure
) -> None:
    first, second = given_back_twice(race, departure, without="cancel-locks-its-row")
    assert (first.status, second.status) == (200, 200)
    assert _kept_and_given_back() == (1, 2)


def given_back_twice(race: Race, departure: Departure, *, without: str = "") -> tuple[Reply, Reply]:
    """As `cancelled_twice`, of one seat of two."""
    (owner,) = race.riders(1)
    pnr = owner.book(departure, "S1-1", "S1-2")
    first = race.start(owner.cancel, pnr, "S1-1", stop="cancel.before").reached()
    second = race.start(owner.cancel, pnr, "S1-1", without=without)
    race.await_waiting()
    return first.go().result(), second.result()


def _kept_and_given_back() -> tuple[int, int]:
    """Seats that are left, and how often seats were paid back."""
    return BookedSeat.objects.filter(live=True).count(), Cancellation.objects.count()


def test_many_cancels_at_the_same_instant_end_the_booking_once(
    race: Race, departure: Departure
) -> None:
    (owner,) = race.riders(1)
    pnr = owner.book(departure, "S1-1")
    replies = race.all_at_once([lambda: owner.cancel(pnr)] * 8)
    assert sorted(reply.status for reply in replies) == [200] + [409] * 7
    check(departure, holds=0)

"""Two cancels of one booking at once: one cancels, the other is told that it is cancelled."""

import pytest

from config.outbox.models import OutboxEvent
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


def test_many_cancels_at_the_same_instant_end_the_booking_once(
    race: Race, departure: Departure
) -> None:
    (owner,) = race.riders(1)
    pnr = owner.book(departure, "S1-1")
    replies = race.all_at_once([lambda: owner.cancel(pnr)] * 8)
    assert sorted(reply.status for reply in replies) == [200] + [409] * 7
    check(departure, holds=0)

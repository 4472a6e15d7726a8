"""Two confirms of one hold at once: one booking, and both are told of it."""

import pytest

from reservations.models import Booking
from tests.race.fixtures import Race
from tests.race.invariants import check
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_slower_of_two_confirms_is_told_of_the_booking_of_the_faster(
    race: Race, departure: Departure
) -> None:
    (owner,) = race.riders(1)
    hold = owner.hold(departure, "S1-1", "S1-2")
    slow = race.start(owner.confirm, hold, stop="insert.before").reached()
    fast = owner.confirm(hold)
    late = slow.go().result()
    assert (fast.status, late.status) == (201, 200)
    assert late.body == fast.body
    assert Booking.objects.count() == 1
    check(departure, holds=0)


def test_a_confirm_between_the_booking_and_its_settle_finds_the_booking(
    race: Race, departure: Departure
) -> None:
    """The member is still pinned, so the second pins it too, and is refused by the unique hold."""
    (owner,) = race.riders(1)
    hold = owner.hold(departure, "S1-1")
    slow = race.start(owner.confirm, hold, stop="insert.after").reached()
    assert owner.confirm(hold).status == 200
    assert slow.go().result().status == 201
    assert Booking.objects.count() == 1
    check(departure, holds=0)


def booked_cancelled_and_booked_again(
    race: Race, departure: Departure, *, without: str = ""
) -> tuple[int, int]:
    """A confirm stalls; its twin books; the traveller cancels; then the first goes on.

    first     pin ................................ INSERT
    second         pin, INSERT, settle
    owner                               cancel
    """
    (owner,) = race.riders(1)
    hold = owner.hold(departure, "S1-1")
    slow = race.start(owner.confirm, hold, stop="insert.before", without=without).reached()
    with race.without(*without.split()):
        pnr = owner.confirm(hold).body["pnr"]
    assert owner.cancel(pnr).status == 200
    late = slow.go().result()
    assert late.status in {200, 201}
    return late.status, Booking.objects.filter(hold=hold, status="confirmed").count()


def test_a_hold_is_booked_once_even_if_that_booking_was_cancelled(
    race: Race, departure: Departure
) -> None:
    assert booked_cancelled_and_booked_again(race, departure) == (200, 0)
    check(departure, holds=0)


def test_without_the_unique_hold_the_late_twin_books_what_was_cancelled(
    race: Race, departure: Departure, hold_not_unique: None
) -> None:
    done = booked_cancelled_and_booked_again(race, departure, without="unique-hold")
    assert done == (201, 1)


def test_many_confirms_at_the_same_instant_make_one_booking(
    race: Race, departure: Departure
) -> None:
    twins = 8
    (owner,) = race.riders(1)
    hold = owner.hold(departure, "S1-1", "S1-2")
    replies = race.all_at_once([lambda: owner.confirm(hold)] * twins)
    assert sorted(reply.status for reply in replies) == [200] * (twins - 1) + [201]
    assert len({reply.raw for reply in replies}) == 1
    check(departure, holds=0)

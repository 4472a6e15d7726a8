"""Two locks of one seat-leg: the script decides, whatever either knew when it ranked (P2)."""

import pytest

from tests.race.fixtures import Race
from tests.race.invariants import check
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)


def late_lock(
    race: Race, departure: Departure, *, sold: bool = False, without: str = ""
) -> tuple[int, int]:
    """The first chose a seat when it was free; before its script runs, the second has it.

    first    rank ..................................... lock
    second           lock, and confirm if `sold`
    """
    first, second = race.riders(2)
    second.hold(departure, "S1-8")
    late = race.start(first.lock, departure, "S1-1", stop="lock.before", without=without).reached()
    hold = second.hold(departure, "S1-1")
    if sold:
        assert second.confirm(hold).status == 201
    answer = late.go().result()
    if answer.status != 201:
        return answer.status, 0
    return answer.status, first.confirm(answer.body["hold"]).status


def test_a_seat_taken_a_moment_ago_is_refused(race: Race, departure: Departure) -> None:
    assert late_lock(race, departure) == (409, 0)
    check(departure, holds=2)


def test_without_the_overlap_test_two_hold_the_seat(race: Race, departure: Departure) -> None:
    status, _ = late_lock(race, departure, without="overlap")
    assert status == 201


def test_a_seat_sold_a_moment_ago_is_refused(race: Race, departure: Departure) -> None:
    assert late_lock(race, departure, sold=True) == (409, 0)
    check(departure, holds=1)


def test_without_the_sold_bits_a_sold_seat_is_held_and_only_the_database_says_no(
    race: Race, departure: Departure
) -> None:
    assert late_lock(race, departure, sold=True, without="sold-bits") == (201, 409)
    check(departure, holds=1)

"""One seat, many stretches: overlaps exclude each other, neighbours do not (P1, P2)."""

import random
from collections.abc import Callable
from itertools import combinations

import pytest

from tests.race.fixtures import Race
from tests.race.invariants import check
from tests.race.riders import Reply, Rider
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)

STOPS = ("AAA", "BBB", "CCC", "DDD", "EEE")


def late_lock_of_an_overlap(race: Race, departure: Departure, *, without: str = "") -> int:
    """BBB-DDD against AAA-CCC, which was locked between ranking and script."""
    first, second = race.riders(2)
    wish = {"source": "BBB", "destination": "DDD"}
    second.hold(departure, "S1-8")
    late = race.start(first.lock, departure, "S1-1", stop="lock.before", without=without, **wish)
    late.reached()
    with race.without(*without.split()):
        second.hold(departure, "S1-1", source="AAA", destination="CCC")
    return late.go().result().status


def test_stretches_that_overlap_exclude_each_other(race: Race, departure: Departure) -> None:
    assert late_lock_of_an_overlap(race, departure) == 409
    check(departure, holds=2)


def test_if_a_hold_took_its_first_leg_only_overlaps_would_both_be_held(
    race: Race, departure: Departure
) -> None:
    assert late_lock_of_an_overlap(race, departure, without="every-leg") == 201
    with pytest.raises(AssertionError, match="two holds have one seat-leg"):
        check(departure)


def test_a_storm_of_stretches_sells_no_leg_twice_and_leaves_none_unused(
    race: Race, departure: Departure
) -> None:
    """Each round 24 travellers want some stretch of one of two seats; winners confirm."""
    chance = random.Random(20261121)
    riders = race.riders(24)
    wishes = []
    for _ in riders:
        start, end = sorted(chance.sample(range(5), 2))
        wishes.append((chance.choice(("S1-1", "S1-2")), start, end))

    def take(rider: Rider, seat: str, start: int, end: int) -> Callable[[], Reply]:
        def call() -> Reply:
            locked = rider.lock(departure, seat, source=STOPS[start], destination=STOPS[end])
            return rider.confirm(locked.body["hold"]) if locked.status == 201 else locked

        return call

    replies = race.all_at_once(
        [take(rider, *wish) for rider, wish in zip(riders, wishes, strict=True)]
    )
    assert {reply.status for reply in replies} == {201, 409}
    won = [wish for reply, wish in zip(replies, wishes, strict=True) if reply.status == 201]
    taken = [{(seat, leg) for leg in range(start, end)} for seat, start, end in won]
    assert not any(one & other for one, other in combinations(taken, 2))
    used = set().union(*taken)
    for reply, (seat, start, end) in zip(replies, wishes, strict=True):
        if reply.status == 409:
            assert used & {(seat, leg) for leg in range(start, end)}, "refused for no reason"
    check(departure, holds=0)

"""Many travellers ask for the best seats of one train at once: all are sold, each once."""

from collections import Counter
from collections.abc import Callable

import pytest
from django.db.models import Count

from reservations.models import BookedSeat
from tests.availability import railway
from tests.race.fixtures import Race
from tests.race.invariants import check
from tests.race.riders import Reply, Rider
from trains.models import Departure

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]

TRAVELLERS = 300
SEATS = 120


def best(rider: Rider, departure: Departure, count: int) -> Callable[[], tuple[Reply, Reply]]:
    """Lock the best seats there are, and confirm if there were any."""

    def call() -> tuple[Reply, Reply]:
        locked = rider.lock(departure, count=count, travel_class="SL", destination="CCC")
        done = rider.confirm(locked.body["hold"]) if locked.status == 201 else Reply(0)
        return locked, done

    return call


@pytest.fixture
def big_train(db: None, empty_redis: None) -> Departure:
    coaches = (("S1", "SL", SEATS // 2), ("S2", "SL", SEATS // 2))
    return railway.departure(railway.train(stops=("AAA", "BBB", "CCC"), coaches=coaches))


def test_three_hundred_for_a_hundred_and_twenty_seats_sell_them_all_once(
    race: Race, big_train: Departure
) -> None:
    riders = race.riders(TRAVELLERS)
    replies = race.all_at_once([best(rider, big_train, 1) for rider in riders])

    codes = Counter((locked.status, locked.code) for locked, _ in replies)
    assert codes == {(201, ""): SEATS, (409, "not-enough-seats"): TRAVELLERS - SEATS}
    assert Counter(done.status for _, done in replies) == {201: SEATS, 0: TRAVELLERS - SEATS}
    sold = [done.body["seats"][0] for _, done in replies if done.status == 201]
    assert len(set(sold)) == SEATS
    assert BookedSeat.objects.filter(live=True).count() == SEATS
    check(big_train, holds=0)


def test_groups_of_three_get_three_seats_or_none(race: Race, big_train: Departure) -> None:
    """P3 under load: 60 groups of three, seats for 40."""
    riders = race.riders(60)
    replies = race.all_at_once([best(rider, big_train, 3) for rider in riders])
    assert Counter(done.status for _, done in replies) == {201: 40, 0: 20}
    groups = BookedSeat.objects.values("booking").annotate(seats=Count("id"))
    assert {group["seats"] for group in groups} == {3}
    check(big_train, holds=0)


def eight_for_six(race: Race, *, without: str = "") -> Counter[str]:
    """All have ranked six free seats before the first script runs; how often each was given."""
    train = railway.train(stops=("AAA", "BBB", "CCC"), coaches=(("S1", "SL", 6),))
    departure = railway.departure(train)
    locks = [
        race.start(
            rider.lock, departure, count=1, destination="CCC", stop="lock.before", without=without
        )
        for rider in race.riders(8)
    ]
    for lock in locks:
        lock.reached()
    replies = [lock.go().result() for lock in locks]
    return Counter(seat for reply in replies for seat in reply.body.get("seats", ()))


def test_rankings_that_are_old_give_no_seat_twice(race: Race, db: None) -> None:
    given = eight_for_six(race)
    assert len(given) == 6
    assert set(given.values()) == {1}


def test_without_the_overlap_test_old_rankings_give_seats_twice(race: Race, db: None) -> None:
    given = eight_for_six(race, without="overlap")
    assert sum(given.values()) == 8
    assert max(given.values()) > 1

"""Many travellers, few seats, two web processes: exactly one winner a seat, each time (P1, P2)."""

from collections import Counter
from collections.abc import Callable

import pytest

from reservations.models import BookedSeat, Booking
from tests.availability import railway
from tests.race.fixtures import Race
from tests.race.invariants import check
from tests.race.riders import Reply, Rider
from trains.models import Departure

TRAVELLERS = 50
ROUNDS = 10
SEATS = 10

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]


def take(rider: Rider, departure: Departure, seat: str) -> Callable[[], Reply]:
    """Lock the seat by name, and confirm if it was free."""

    def call() -> Reply:
        locked = rider.lock(departure, seat, destination="CCC")
        return rider.confirm(locked.body["hold"]) if locked.status == 201 else locked

    return call


def test_fifty_travellers_for_the_same_ten_seats_ten_times(race: Race, db: None) -> None:
    train = railway.train(stops=("AAA", "BBB", "CCC"), coaches=(("S1", "SL", SEATS),))
    departures = [railway.departure(train, days_ahead=2 + n) for n in range(ROUNDS)]
    riders = race.riders(TRAVELLERS)

    for departure in departures:
        replies = race.all_at_once(
            [take(rider, departure, f"S1-{n % SEATS + 1}") for n, rider in enumerate(riders)]
        )
        assert Counter((reply.status, reply.code) for reply in replies) == {
            (201, ""): SEATS,
            (409, "seat-unavailable"): TRAVELLERS - SEATS,
        }
        check(departure, holds=0)

    sold = Counter(BookedSeat.objects.filter(live=True).values_list("departure_id", "seat_id"))
    assert len(sold) == SEATS * ROUNDS
    assert set(sold.values()) == {1}
    assert Booking.objects.filter(status="confirmed").count() == SEATS * ROUNDS

"""Many travellers, few seats, two web processes: exactly one winner a seat, each time."""

import threading
from collections import Counter
from collections.abc import Callable
from functools import partial

import httpx
import pytest

from config.stores.redis import holds_store
from reservations.models import BookedSeat, Booking
from tests.availability import railway
from tests.engine import Traveller
from tests.web import web_server
from trains.models import Departure

TRAVELLERS = 50
ROUNDS = 20
SEATS = 10

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]


def all_at_once(calls: list[Callable[[], None]]) -> None:
    """Run them in a thread each, let go at the same instant."""
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], None]) -> None:
        gate.wait()
        call()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Passenger:
    """Locks one seat by name and confirms it, over a connection of its own."""

    def __init__(self, url: str, traveller: Traveller) -> None:
        headers = {"Authorization": f"Bearer {traveller.access}"}
        self.http = httpx.Client(base_url=f"{url}/api/v1", headers=headers, timeout=60)
        self.outcome = 0

    def take(self, departure: Departure, seat: str) -> None:
        body = {
            "departure": departure.id,
            "source": "AAA",
            "destination": "CCC",
            "seats": [seat],
        }
        lock = self.http.post("/reservations/lock/", json=body)
        self.outcome = lock.status_code
        if lock.status_code == 201:
            hold = {"hold": lock.json()["hold"]}
            self.outcome = self.http.post("/reservations/confirm/", json=hold).status_code * 10


def test_fifty_travellers_for_the_same_ten_seats_twenty_times(
    make_traveller: Callable[..., Traveller],
) -> None:
    train = railway.train(stops=("AAA", "BBB", "CCC"), coaches=(("S1", "SL", SEATS),))
    departures = [railway.departure(train, days_ahead=2 + n) for n in range(ROUNDS)]
    people = [make_traveller(f"rider{n}") for n in range(TRAVELLERS)]

    with web_server(THROTTLES="off") as web:
        passengers = [Passenger(web.url, person) for person in people]
        for departure in departures:
            all_at_once(
                [
                    partial(passenger.take, departure, f"S1-{number % SEATS + 1}")
                    for number, passenger in enumerate(passengers)
                ]
            )
            outcomes = Counter(passenger.outcome for passenger in passengers)
            assert outcomes == {2010: SEATS, 409: TRAVELLERS - SEATS}

    sold = Counter(BookedSeat.objects.filter(live=True).values_list("departure_id", "seat_id"))
    assert len(sold) == SEATS * ROUNDS
    assert set(sold.values()) == {1}
    assert Booking.objects.filter(status="confirmed").count() == SEATS * ROUNDS
    assert holds_store().exists(*(f"{{{d.id % 64}}}:live:{d.id}" for d in departures)) == 0


def test_a_storm_for_best_available_sells_every_seat_and_refuses_the_rest_cleanly(
    make_traveller: Callable[..., Traveller],
) -> None:
    train = railway.train(stops=("AAA", "BBB", "CCC"), coaches=(("S1", "SL", 40), ("S2", "SL", 20)))
    departure = railway.departure(train)
    people = [make_traveller(f"rider{n}") for n in range(60)]
    answers: list[httpx.Response] = []

    with web_server(THROTTLES="off") as web:
        passengers = [Passenger(web.url, person) for person in people]

        def take_two(passenger: Passenger) -> None:
            body = {
                "departure": departure.id,
                "source": "AAA",
                "destination": "CCC",
                "travel_class": "SL",
                "count": 2,
            }
            answers.append(passenger.http.post("/reservations/lock/", json=body))

        all_at_once([partial(take_two, passenger) for passenger in passengers])

    codes = Counter(answer.status_code for answer in answers)
    assert codes == {201: 30, 409: 30}, codes
    held = [
        seat for answer in answers if answer.status_code == 201 for seat in answer.json()["seats"]
    ]
    assert len(held) == len(set(held)) == 60
    refused = {answer.json()["code"] for answer in answers if answer.status_code == 409}
    assert refused == {"not-enough-seats"}

"""Search counts what is free on the stretch, at a fixed cost."""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.test import Client

from config.stores.redis import holds_store
from reservations.availability import plans, timetable
from reservations.models import SeatBlock
from tests.availability import railway
from tests.availability.searching import free_by_class, search
from tests.engine import Traveller
from tests.reservations.test_bookings import book
from tests.reservations.test_hold_seats import wish
from tests.stores import OwnStore
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)
Counted = Callable[[int], AbstractContextManager[Any]]


@pytest.fixture
def round_trips(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """An entry for each time this thread asked Redis: a round trip.

    Another thread sends the log of requests when it is time.
    """
    seen: list[str] = []
    searching = threading.get_ident()
    store: Any = type(holds_store())
    asked = store.guarded

    def guarded(self: Any, call: Callable[[], Any]) -> Any:
        if threading.get_ident() == searching:
            seen.append("asked")
        return asked(self, call)

    monkeypatch.setattr(store, "guarded", guarded)
    return seen


class TestCounts:
    def test_held_sold_and_blocked_seats_are_not_free_where_they_are_taken(
        self, anna: Traveller, controller: Traveller, client: Client, departure: Departure
    ) -> None:
        day = departure.service_date
        held = wish(departure, "S1-1", source="AAA", destination="CCC")
        assert anna.post("reservations/lock/", held).status_code == 201
        book(anna, departure, "S1-2", "C1-1", source="BBB", destination="DDD")
        path = f"operations/departures/{departure.id}/blocks/"
        assert controller.post(path, {"seats": ["S1-3"], "reason": "broken"}).status_code == 200
        counts = {
            stretch: free_by_class(search(client, *stretch, day)["results"][0])
            for stretch in (("AAA", "BBB"), ("BBB", "CCC"), ("CCC", "EEE"), ("DDD", "EEE"))
        }
        assert counts == {
            ("AAA", "BBB"): {"SL": 6, "CC": 8},
            ("BBB", "CCC"): {"SL": 5, "CC": 7},
            ("CCC", "EEE"): {"SL": 6, "CC": 7},
            ("DDD", "EEE"): {"SL": 7, "CC": 8},
        }

    def test_an_image_that_is_not_loaded_counts_the_same(
        self, anna: Traveller, client: Client, departure: Departure
    ) -> None:
        day = departure.service_date
        anna.post("reservations/lock/", wish(departure, "S1-1", destination="CCC"))
        book(anna, departure, "S1-2", "C1-1", source="BBB", destination="DDD")
        SeatBlock.objects.create(
            departure=departure,
            seat=departure.train.seats.get(ordinal=2),
            created_by=anna.user,
            reason="quota",
        )
        shard = departure.id % 64
        assert holds_store().delete(f"{{{shard}}}:image:{departure.id}") == 1
        for source, destination, free in (
            ("AAA", "BBB", {"SL": 6, "CC": 8}),
            ("BBB", "CCC", {"SL": 5, "CC": 7}),
            ("CCC", "EEE", {"SL": 6, "CC": 7}),
        ):
            (row,) = search(client, source, destination, day)["results"]
            assert free_by_class(row) == free
        assert holds_store().exists(f"{{{shard}}}:image:{departure.id}") == 0

    def test_a_hold_that_ran_out_is_not_counted_though_nobody_swept(
        self, anna: Traveller, client: Client, departure: Departure, time_passes: Any
    ) -> None:
        anna.post("reservations/lock/", wish(departure, "S1-1"))
        day = departure.service_date
        assert search(client, "AAA", "BBB", day)["results"][0]["free"] == 15
        with time_passes(181):
            assert search(client, "AAA", "BBB", day)["results"][0]["free"] == 16

    def test_without_redis_bookings_are_counted_and_the_answer_says_it_is_stale(
        self, anna: Traveller, client: Client, departure: Departure, request: pytest.FixtureRequest
    ) -> None:
        book(anna, departure, "S1-2")
        no_redis: OwnStore = request.getfixturevalue("no_redis")
        page = search(client, "AAA", "BBB", departure.service_date)
        assert page["stale"] is True
        assert page["results"][0]["free"] == 15
        no_redis.start()
        # It is left alone for a moment after it was away.
        deadline = time.monotonic() + 10
        while (page := search(client, "AAA", "BBB", departure.service_date))["stale"]:
            assert time.monotonic() < deadline
        assert page["results"][0]["free"] == 15


class TestCost:
    @pytest.mark.usefixtures("empty_redis")
    @pytest.mark.parametrize("trains", [1, 20])
    def test_a_page_costs_a_fixed_number_of_queries(
        self,
        client: Client,
        trains: int,
        django_assert_num_queries: Counted,
        round_trips: list[str],
    ) -> None:
        for n in range(trains):
            departure = railway.departure(railway.train(f"30{n:03}"))
        day = departure.service_date
        search(client, "AAA", "DDD", day, seats=2)  # Redis learns the script
        plans.forget_all()
        timetable.forget_days()
        round_trips.clear()
        # stations, departures, four for trains, fares, one for rows, one for who waits
        with django_assert_num_queries(9):
            assert search(client, "AAA", "DDD", day)["count"] == trains
        assert round_trips == ["asked"] * 3  # the mark; free seats; holds of what is not loaded
        round_trips.clear()
        with django_assert_num_queries(2):  # the day is known; images are not loaded
            search(client, "AAA", "DDD", day)
        assert round_trips == ["asked"] * 2

    def test_from_memory_with_images_loaded_it_costs_one_round_trip_and_no_query(
        self,
        anna: Traveller,
        client: Client,
        departure: Departure,
        django_assert_num_queries: Counted,
        round_trips: list[str],
    ) -> None:
        anna.post("reservations/lock/", wish(departure, "S1-1"))
        search(client, "AAA", "BBB", departure.service_date)
        round_trips.clear()
        with django_assert_num_queries(0):
            page = search(client, "AAA", "BBB", departure.service_date)
        assert page["results"][0]["free"] == 15
        assert round_trips == ["asked"]

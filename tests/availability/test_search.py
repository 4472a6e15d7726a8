"""Search: any two stops in order, the local day at the boarding stop, what is free there."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
import redis
from django.conf import settings
from django.test import Client

from config import clock
from config.stores.redis import holds_store
from reservations.availability import plans
from reservations.availability.bodies import FoundPage
from reservations.models import SeatBlock
from tests.availability import railway
from tests.engine import Traveller
from tests.reservations.test_bookings import book
from tests.reservations.test_hold_seats import wish
from tests.stores import OwnStore
from trains.fares import fare
from trains.models import Departure, Stop, Train

pytestmark = pytest.mark.django_db(transaction=True)
Counted = Callable[[int], AbstractContextManager[Any]]


def search(client: Client, source: str, destination: str, day: date | str, **more: Any) -> Any:
    query = {"source": source, "destination": destination, "date": str(day), **more}
    answer = client.get("/api/v1/departures/search/", query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def refused(client: Client, **query: Any) -> Any:
    answer = client.get("/api/v1/departures/search/", query)
    assert answer["Content-Type"] == "application/problem+json"
    return answer


def free_by_class(row: dict[str, Any]) -> dict[str, int]:
    return {each["travel_class"]: each["free"] for each in row["classes"]}


@pytest.fixture
def round_trips(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was asked of Redis, an entry a round trip."""
    seen: list[str] = []
    command: Any = redis.Redis.execute_command
    pipeline: Any = redis.client.Pipeline.execute

    def one(self: Any, *arguments: Any, **options: Any) -> Any:
        seen.append(str(arguments[0]))
        return command(self, *arguments, **options)

    def many(self: Any, *arguments: Any, **options: Any) -> Any:
        seen.append("pipeline")
        return pipeline(self, *arguments, **options)

    monkeypatch.setattr(redis.Redis, "execute_command", one)
    monkeypatch.setattr(redis.client.Pipeline, "execute", many)
    return seen


class TestRows:
    def test_a_row_has_every_field_of_the_contract(
        self, client: Client, departure: Departure
    ) -> None:
        page = search(client, "BBB", "DDD", departure.service_date)
        assert (page["count"], page["next"], page["previous"]) == (1, None, None)
        assert page["stale"] is False
        (row,) = page["results"]
        leaves = departure.starts_at + timedelta(hours=9)
        stamp = "%Y-%m-%dT%H:%M:%SZ"
        assert row["departure"] == departure.id
        assert row["train"] == {"number": "10101", "name": "Express 10101"}
        assert row["source"] == {
            "code": "BBB",
            "name": "Bbb Junction",
            "departs_at": leaves.strftime(stamp),
        }
        assert row["destination"] == {
            "code": "DDD",
            "name": "Ddd Junction",
            "arrives_at": (leaves + timedelta(hours=2, minutes=-2)).strftime(stamp),
        }
        assert row["duration_minutes"] == 118
        assert row["distance_km"] == 120
        assert row["free"] == 16
        assert row["is_full"] is False
        amount = fare(travel_class="SL", distance_km=Decimal(120), factor=Decimal(1))
        assert row["classes"][0] == {
            "travel_class": "SL",
            "free": 8,
            "fare": {"amount": str(amount), "currency": "INR"},
            "waitlist": 0,
        }
        msgspec.convert(page, FoundPage, strict=False)

    def test_rows_come_by_time_of_boarding_and_in_pages(self, client: Client) -> None:
        hours = [15, 6, 11]
        ids = {}
        for hour in hours:
            train = railway.train(f"20{hour:03}", first_departure_seconds=hour * railway.HOUR)
            ids[hour] = railway.departure(train)
        day = ids[6].service_date
        expected = [ids[hour].id for hour in sorted(hours)]
        page = search(client, "AAA", "CCC", day)
        assert [row["departure"] for row in page["results"]] == expected
        first = search(client, "AAA", "CCC", day, limit=2)
        assert [row["departure"] for row in first["results"]] == expected[:2]
        assert first["count"] == 3
        rest = client.get(first["next"]).json()
        assert [row["departure"] for row in rest["results"]] == expected[2:]
        assert rest["next"] is None
        beyond = search(client, "AAA", "CCC", day, offset=7)
        assert (beyond["count"], beyond["results"]) == (3, [])

    def test_only_stops_in_order_are_found(self, client: Client, departure: Departure) -> None:
        assert search(client, "DDD", "BBB", departure.service_date)["results"] == []

    def test_codes_may_be_written_in_any_case(self, client: Client, departure: Departure) -> None:
        assert search(client, "aaa", "Bbb", departure.service_date)["count"] == 1

    def test_a_stop_where_nobody_boards_is_no_source(
        self, client: Client, departure: Departure
    ) -> None:
        day = departure.service_date
        Stop.objects.filter(train=departure.train_id, sequence=1).update(pickup=False)
        Stop.objects.filter(train=departure.train_id, sequence=2).update(drop_off=False)
        assert search(client, "BBB", "DDD", day)["count"] == 0
        assert search(client, "AAA", "CCC", day)["count"] == 0
        assert search(client, "AAA", "BBB", day)["count"] == 1

    def test_of_a_station_visited_twice_the_same_stretch_is_shown_as_is_sold(
        self, client: Client
    ) -> None:
        departure = railway.departure(railway.train(stops=("AAA", "BBB", "AAA", "CCC", "BBB")))
        plan = plans.plan_of(departure.id)
        for source, destination in (("AAA", "BBB"), ("AAA", "CCC"), ("BBB", "CCC")):
            (row,) = search(client, source, destination, departure.service_date)["results"]
            stretch = plan.stretch(source, destination)
            assert row["distance_km"] == plan.distance_km(stretch)
            assert row["source"]["departs_at"] == f"{plan.boards_at(stretch):%Y-%m-%dT%H:%M:%SZ}"

    def test_a_class_narrows_trains_and_counts(self, client: Client, express: Train) -> None:
        both = railway.departure(express)
        sleeper = railway.train("10102", coaches=(("S1", "SL", 4),))
        railway.departure(sleeper)
        day = both.service_date
        assert search(client, "AAA", "BBB", day)["count"] == 2
        (row,) = search(client, "AAA", "BBB", day, travel_class="CC")["results"]
        assert row["departure"] == both.id
        assert (free_by_class(row), row["free"]) == ({"CC": 8}, 8)
        assert search(client, "AAA", "BBB", day, travel_class="1A")["count"] == 0

    def test_a_row_is_full_when_no_class_has_the_seats_wanted(
        self, client: Client, departure: Departure
    ) -> None:
        day = departure.service_date
        for seats, full in ((8, False), (9, True)):
            (row,) = search(client, "AAA", "BBB", day, seats=seats)["results"]
            assert row["is_full"] is full


class TestDay:
    def test_the_day_is_the_local_one_at_the_boarding_stop(self, client: Client) -> None:
        """Sets out at 23:00 and calls at BBB on the next day, at DDD on the third."""
        train = railway.train(
            first_departure_seconds=23 * railway.HOUR, leg_seconds=10 * railway.HOUR
        )
        departure = railway.departure(train)
        day = departure.service_date
        found = {
            (source, ahead): search(client, source, "DDD", day + timedelta(days=ahead))["count"]
            for source in ("AAA", "BBB", "CCC")
            for ahead in (-1, 0, 1, 2)
        }
        boards = {"AAA": 0, "BBB": 1, "CCC": 1}
        assert found == {(source, ahead): int(boards[source] == ahead) for source, ahead in found}

    def test_a_station_in_another_zone_has_its_own_day(self, client: Client) -> None:
        """20:00 in Kolkata is 10:30 of the same day in New York, 03:30 of the next in Auckland."""
        train = railway.train(first_departure_seconds=20 * railway.HOUR)
        for code, zone in (("AAA", "Pacific/Auckland"), ("BBB", "America/New_York")):
            station = railway.station(code)
            station.timezone = zone
            station.save()
        departure = railway.departure(train, days_ahead=5)
        plan = plans.plan_of(departure.id)
        for source, zone in (("AAA", "Pacific/Auckland"), ("BBB", "America/New_York")):
            boards = plan.boards_at(plan.stretch(source, "DDD")).astimezone(ZoneInfo(zone)).date()
            for ahead in (-1, 0, 1):
                page = search(client, source, "DDD", boards + timedelta(days=ahead))
                assert page["count"] == int(ahead == 0)

    def test_what_is_not_on_sale_is_not_shown(self, client: Client, express: Train) -> None:
        departure = railway.departure(express)
        day = departure.service_date
        assert search(client, "AAA", "BBB", day)["count"] == 1
        Departure.objects.update(status="closed")
        assert search(client, "AAA", "BBB", day)["count"] == 0
        Departure.objects.update(status="open", sale_opens_at=clock.now() + timedelta(minutes=1))
        assert search(client, "AAA", "BBB", day)["count"] == 0
        with clock.moved(timedelta(minutes=2)):
            assert search(client, "AAA", "BBB", day)["count"] == 1

    def test_a_train_is_found_until_it_leaves_the_boarding_stop(
        self, client: Client, departure: Departure
    ) -> None:
        day = departure.service_date
        leaves = departure.starts_at + timedelta(hours=8)
        for after, first, second in ((-1, 1, 1), (1, 0, 1), (3601, 0, 0)):
            with clock.moved(leaves + timedelta(seconds=after) - clock.now()):
                assert search(client, "AAA", "DDD", day)["count"] == first
                assert search(client, "BBB", "DDD", day)["count"] == second

    def test_a_day_outside_the_window_is_not_on_sale(self, client: Client, express: Train) -> None:
        railway.departure(express)
        today = clock.now().astimezone(ZoneInfo(railway.ZONE)).date()
        window = settings.ENV.sale_window_days
        query = {"source": "AAA", "destination": "BBB"}
        for ahead in (window + 1, window + 300, 3000):
            answer = refused(client, **query, date=today + timedelta(days=ahead))
            assert (answer.status_code, answer.json()["code"]) == (409, "not-on-sale")
            opens = answer.json()["opens_at"]
            assert opens.startswith(str(today + timedelta(days=ahead - window)))
        for day in (today - timedelta(days=1), date(1, 1, 1)):
            answer = refused(client, **query, date=day.isoformat())
            assert (answer.status_code, answer.json()["code"]) == (409, "not-on-sale")
            assert "opens_at" not in answer.json()
        assert refused(client, **query, date="9999-12-31").status_code == 409
        assert search(client, "AAA", "BBB", today + timedelta(days=window))["count"] == 0

    def test_an_extra_run_beyond_the_window_is_found(self, client: Client, express: Train) -> None:
        extra = railway.departure(express, days_ahead=settings.ENV.sale_window_days + 20)
        assert search(client, "AAA", "BBB", extra.service_date)["count"] == 1


class TestRefusals:
    @pytest.mark.parametrize(
        ("query", "fields"),
        [
            ({"source": "", "destination": "", "date": ""}, {"source"}),
            ({"destination": ""}, {"destination"}),
            ({"date": ""}, {"date"}),
            ({"source": "XXX", "destination": "YYY"}, {"source", "destination"}),
            ({"source": "A" * 41}, {"source"}),
            ({"destination": "aaa"}, {"destination"}),
            ({"date": "2026-13-01"}, {"date"}),
            ({"date": "20261101"}, {"date"}),
            ({"date": "2026-W48-1"}, {"date"}),
            ({"date": "tomorrow"}, {"date"}),
            ({"seats": "0"}, {"seats"}),
            ({"seats": "101"}, {"seats"}),
            ({"seats": "two"}, {"seats"}),
            ({"limit": "0"}, {"limit"}),
            ({"offset": "-1"}, {"offset"}),
            ({"offset": "9" * 30}, {"offset"}),
        ],
    )
    def test_what_cannot_be_understood_is_invalid_by_field(
        self, client: Client, departure: Departure, query: dict[str, str], fields: set[str]
    ) -> None:
        fine = {"source": "AAA", "destination": "BBB", "date": str(departure.service_date)}
        answer = refused(client, **fine | query)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
        assert set(answer.json()["errors"]) == fields

    def test_a_bad_token_is_refused_here_too(self, client: Client) -> None:
        answer = client.get(
            "/api/v1/departures/search/", headers={"Authorization": "Bearer nonsense"}
        )
        assert (answer.status_code, answer.json()["code"]) == (401, "not-authenticated")

    def test_another_method_is_not_allowed(self, client: Client) -> None:
        answer = client.post("/api/v1/departures/search/")
        assert (answer.status_code, answer["Allow"]) == (405, "GET")


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
        page = search(client, "AAA", "BBB", departure.service_date)
        assert page["stale"] is False
        assert page["results"][0]["free"] == 15


class TestCost:
    @pytest.mark.parametrize("trains", [1, 20])
    def test_a_page_costs_a_fixed_number_of_queries_and_one_round_trip(
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
        round_trips.clear()
        with django_assert_num_queries(7):  # stations, departures, four for trains, one for rows
            assert search(client, "AAA", "DDD", day)["count"] == trains
        assert round_trips == ["pipeline"]
        round_trips.clear()
        with django_assert_num_queries(3):  # trains are known; images are not loaded
            search(client, "AAA", "DDD", day)
        assert round_trips == ["pipeline"]

    def test_with_images_loaded_it_costs_two_queries(
        self,
        anna: Traveller,
        client: Client,
        departure: Departure,
        django_assert_num_queries: Counted,
    ) -> None:
        anna.post("reservations/lock/", wish(departure, "S1-1"))
        with django_assert_num_queries(2):
            page = search(client, "AAA", "BBB", departure.service_date)
        assert page["results"][0]["free"] == 15

"""Search: any two stops in order, by time of boarding; and what is refused."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.test import Client

from reservations.api.departures.bodies import FoundPage
from reservations.availability import plans
from tests.availability import railway
from tests.availability.searching import free_by_class, refused, search
from trains.models import Departure, Stop, Train

pytestmark = pytest.mark.django_db(transaction=True)
Counted = Callable[[int], AbstractContextManager[Any]]


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
        assert row["classes"][0] == {
            "travel_class": "SL",
            "free": 8,
            "fare": {"amount": "128.40", "currency": "INR"},  # 40.00 + 120 * 0.57 + 20.00
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
        assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, OPTIONS")

"""Search by the local day at the boarding stop, and by what is on sale on it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.test import Client

from config import clock
from reservations.availability import plans
from tests.availability import railway
from tests.availability.searching import refused, search
from trains.models import Departure, Train

pytestmark = pytest.mark.django_db(transaction=True)
Counted = Callable[[int], AbstractContextManager[Any]]


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

"""One departure: its stops by the stations' clocks, its coaches, and whether it is on sale."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from django.conf import settings
from django.test import Client

from config import clock
from reservations.api.departures.bodies import DepartureBody
from tests.availability import railway
from tests.engine import Traveller
from tests.reservations.test_bookings import book
from tests.reservations.test_hold_seats import wish
from trains.models import Departure, Stop

pytestmark = pytest.mark.django_db(transaction=True)


def show(client: Client, departure: Departure, **headers: str) -> Any:
    answer = client.get(f"/api/v1/departures/{departure.id}/", headers=headers)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_it_has_every_field_of_the_contract(client: Client, departure: Departure) -> None:
    body = show(client, departure)
    assert body["departure"] == departure.id
    assert body["train"] == {"number": "10101", "name": "Express 10101", "mode": "rail"}
    assert body["service_date"] == str(departure.service_date)
    assert [stop["code"] for stop in body["stops"]] == ["AAA", "BBB", "CCC", "DDD", "EEE"]
    assert body["coaches"] == [
        {"label": "S1", "travel_class": "SL", "seats": 8, "free": 8},
        {"label": "C1", "travel_class": "CC", "seats": 8, "free": 8},
    ]
    assert (body["on_sale"], body["sale_state"]) == (True, "open")
    assert body["stale"] is False
    msgspec.convert(body, DepartureBody, strict=False)


def test_stops_show_utc_and_the_clock_of_the_station(client: Client) -> None:
    train = railway.train(first_departure_seconds=23 * railway.HOUR)
    departure = railway.departure(train)
    first, second, *_, last = show(client, departure)["stops"]
    assert first["arrives_at"] is None
    assert first["local_departure"] == f"{departure.service_date}T23:00:00+05:30"
    next_day = departure.service_date + timedelta(days=1)
    assert second["local_departure"] == f"{next_day}T00:00:00+05:30"
    assert second["local_arrival"] == f"{departure.service_date}T23:58:00+05:30"
    utc = datetime.fromisoformat(second["departs_at"])
    assert second["departs_at"].endswith("Z")
    assert utc == datetime.fromisoformat(second["local_departure"])
    assert utc.astimezone(ZoneInfo(second["timezone"])).hour == 0
    assert (last["departs_at"], last["local_departure"]) == (None, None)


def test_coaches_count_what_is_free_over_the_whole_run(
    anna: Traveller, client: Client, departure: Departure
) -> None:
    anna.post("reservations/lock/", wish(departure, "S1-1", destination="BBB"))
    book(anna, departure, "C1-1", "C1-2", source="DDD")
    assert [coach["free"] for coach in show(client, departure)["coaches"]] == [7, 6]


def test_what_staff_change_shows_at_once(
    controller: Traveller, client: Client, departure: Departure
) -> None:
    assert show(client, departure)["on_sale"] is True
    changed = controller.client.patch(
        f"/api/v1/departures/{departure.id}/", {"status": "closed"}, "application/json"
    )
    assert changed.status_code == 200, changed.content
    body = show(client, departure)
    assert (body["on_sale"], body["sale_state"]) == (False, "closed")


def test_only_staff_may_change_it(anna: Traveller, departure: Departure) -> None:
    path = f"/api/v1/departures/{departure.id}/"
    for client, code in ((Client(), 401), (anna.client, 403)):
        assert client.patch(path, {"status": "closed"}, "application/json").status_code == code
    refused = anna.client.delete(path)
    assert (refused.status_code, refused["Allow"]) == (405, "GET, PATCH, HEAD, OPTIONS")


def test_why_it_is_not_on_sale(client: Client, departure: Departure) -> None:
    Departure.objects.update(sale_opens_at=clock.now() + timedelta(hours=1))
    assert show(client, departure)["sale_state"] == "not yet open"
    last_boarding = departure.starts_at + timedelta(hours=11)  # DDD
    for seconds, state in ((-1, "open"), (1, "left")):
        with clock.moved(last_boarding + timedelta(seconds=seconds) - clock.now()):
            assert show(client, departure)["sale_state"] == state


def test_the_last_stop_where_somebody_may_board_closes_the_sale(
    client: Client, departure: Departure
) -> None:
    Stop.objects.filter(train=departure.train_id, sequence=3).update(pickup=False)
    last_boarding = departure.starts_at + timedelta(hours=10)  # CCC
    with clock.moved(last_boarding + timedelta(seconds=1) - clock.now()):
        assert show(client, departure)["sale_state"] == "left"


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("127.0.0.1:8000", "127.0.0.1"),
        ("localhost", "localhost"),
        ("[::1]:8000", "[::1]"),
        ("[::1]", "[::1]"),
    ],
)
def test_the_live_socket_is_on_the_same_host(
    client: Client, departure: Departure, host: str, name: str
) -> None:
    port = settings.ENV.live_port or settings.ENV.port + 1
    url = show(client, departure, Host=host)["live_url"]
    assert url == f"ws://{name}:{port}/ws/departures/{departure.id}/"


def test_without_redis_it_is_stale(
    anna: Traveller, client: Client, departure: Departure, request: pytest.FixtureRequest
) -> None:
    book(anna, departure, "C1-1")
    request.getfixturevalue("no_redis")
    body = show(client, departure)
    assert body["stale"] is True
    assert [coach["free"] for coach in body["coaches"]] == [8, 7]

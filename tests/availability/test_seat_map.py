"""The seat map: what a traveller sees of every seat on one stretch."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import msgspec
import pytest
import redis.exceptions
from django.test import Client

from config.stores.redis import holds_store
from reservations.api.departures import seat_map
from reservations.api.departures.bodies import SeatMapBody
from reservations.availability import plans
from reservations.availability.plan_rows import DepartureRow
from reservations.holds import store
from reservations.holds.ids import read_own
from reservations.models import SeatBlock
from reservations.services.refresh_image import refresh_departure
from tests.availability import railway
from tests.engine import Traveller
from tests.reservations.test_bookings import book
from tests.reservations.test_hold_seats import wish
from trains.models import Coach, Departure

pytestmark = pytest.mark.django_db(transaction=True)
Counted = Callable[[int], AbstractContextManager[Any]]


def show(client: Client, departure: Departure, **query: str) -> Any:
    answer = client.get(f"/api/v1/departures/{departure.id}/seats/", query)
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "application/json"
    return answer.json()


def status(client: Client, departure: Departure, **query: str) -> dict[str, str]:
    """What is not free."""
    seats = show(client, departure, **query)["seats"]
    return {each["seat"]: each["status"] for each in seats if each["status"] != "free"}


def block(departure: Departure, traveller: Traveller, ordinal: int) -> None:
    seat = departure.train.seats.get(ordinal=ordinal)
    SeatBlock.objects.create(
        departure=departure, seat=seat, created_by=traveller.user, reason="quota"
    )


def test_a_map_has_every_field_of_the_contract(client: Client, departure: Departure) -> None:
    body = show(client, departure, source="BBB", destination="DDD")
    assert (body["departure"], body["source"], body["destination"]) == (departure.id, "BBB", "DDD")
    assert body["as_of"].endswith("Z")
    assert body["stale"] is False
    assert body["free"] == len(body["seats"]) == 16
    assert body["seats"][1] == {
        "seat": "S1-2",
        "coach": "S1",
        "number": 2,
        "travel_class": "SL",
        "position": "upper",
        "status": "free",
    }
    msgspec.convert(body, SeatMapBody, strict=False)


def test_without_a_stretch_it_is_the_whole_run(client: Client, departure: Departure) -> None:
    body = show(client, departure)
    assert (body["source"], body["destination"]) == ("AAA", "EEE")


def test_each_status_on_the_legs_it_holds(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    held = anna.post("reservations/lock/", wish(departure, "S1-1", destination="CCC")).json()
    bela.post("reservations/lock/", wish(departure, "S1-2", source="CCC"))
    book(bela, departure, "C1-8", source="BBB", destination="CCC")
    block(departure, anna, 4)
    holds_store().delete(f"{{{departure.id % 64}}}:image:{departure.id}")
    expected = {"S1-1": "mine", "S1-2": "held", "S1-5": "blocked", "C1-8": "sold"}
    for _ in ("image missing", "image loaded by the first look"):
        assert status(anna.client, departure) == expected
    assert status(anna.client, departure, destination="BBB") == {"S1-1": "mine", "S1-5": "blocked"}
    assert status(bela.client, departure, source="CCC") == {"S1-2": "mine", "S1-5": "blocked"}
    assert status(Client(), departure, destination="CCC") == {
        "S1-1": "held",
        "S1-5": "blocked",
        "C1-8": "sold",
    }
    seats = {each["seat"]: each for each in show(Client(), departure)["seats"]}
    assert seats["S1-1"]["held_until"] == held["expires_at"]
    assert "held_until" not in seats["C1-8"]
    assert "held_until" not in seats["S1-3"]


def test_of_two_holds_on_one_seat_the_later_end_is_told(
    anna: Traveller, bela: Traveller, departure: Departure, time_passes: Any
) -> None:
    anna.post("reservations/lock/", wish(departure, "S1-1", destination="CCC"))
    with time_passes(60):
        later = bela.post("reservations/lock/", wish(departure, "S1-1", source="CCC")).json()
        (seat,) = (s for s in show(Client(), departure)["seats"] if s["seat"] == "S1-1")
        assert seat["held_until"] == later["expires_at"]


def test_a_hold_being_confirmed_has_no_end(anna: Traveller, departure: Departure) -> None:
    hold = anna.post("reservations/lock/", wish(departure, "S1-1")).json()["hold"]
    store.pin(read_own(hold, anna.user.id), anna.sid, None)
    (seat,) = (s for s in show(Client(), departure)["seats"] if s["status"] != "free")
    assert seat["status"] == "held"
    assert "held_until" not in seat


def test_a_hold_that_ran_out_is_free_at_its_deadline(
    anna: Traveller, departure: Departure, time_passes: Any
) -> None:
    anna.post("reservations/lock/", wish(departure, "S1-1"))
    with time_passes(179):
        assert status(Client(), departure) == {"S1-1": "held"}
    with time_passes(2):
        assert status(Client(), departure) == {}


def test_a_train_longer_than_32_legs_has_words_enough(anna: Traveller) -> None:
    train = railway.train(stops=[f"P{n:02}" for n in range(41)], leg_seconds=1800)
    departure = railway.departure(train)
    body = {"departure": departure.id, "source": "P31", "destination": "P35", "seats": ["S1-2"]}
    assert anna.post("reservations/lock/", body).status_code == 201
    for source, destination, shown in (
        ("P00", "P31", {}),
        ("P00", "P32", {"S1-2": "held"}),
        ("P32", "P33", {"S1-2": "held"}),
        ("P35", "P40", {}),
    ):
        assert status(Client(), departure, source=source, destination=destination) == shown


def test_seats_come_coach_by_coach_also_those_that_were_added_later(
    client: Client, departure: Departure
) -> None:
    show(client, departure)
    coach = Coach.objects.get(train=departure.train_id, label="S1")
    coach.capacity = 10
    coach.save()
    plans.forget(departure.id)
    labels = [each["seat"] for each in show(client, departure)["seats"]]
    assert labels == [*(f"S1-{n}" for n in range(1, 11)), *(f"C1-{n}" for n in range(1, 9))]


def test_a_plan_older_than_the_image_is_read_again(
    anna: Traveller, client: Client, departure: Departure
) -> None:
    anna.post("reservations/lock/", wish(departure, "S1-1"))
    old = plans.plan_of(departure.id)
    Coach.objects.create(train=departure.train, label="S2", travel_class="SL", capacity=2, order=7)
    refresh_departure(departure=departure.id)
    plans._departures.put(departure.id, _row_of(old))
    assert len(show(client, departure)["seats"]) == 18


def _row_of(plan: plans.Plan) -> Any:
    return DepartureRow(
        id=plan.departure,
        train_id=plan.train.id,
        train_revision=plan.train.revision,
        service_date=plan.service_date,
        starts_at=plan.starts_at,
        ends_at=plan.ends_at,
        status=plan.status,
        sale_opens_at=plan.sale_opens_at,
        fare_factor=plan.fare_factor,
        revision=plan.departure_revision,
    )


def test_a_loaded_map_costs_no_query(
    client: Client, departure: Departure, django_assert_num_queries: Counted
) -> None:
    show(client, departure)
    with django_assert_num_queries(0):
        show(client, departure)


def test_the_map_of_a_run_that_has_ended_is_shown_but_not_loaded(
    anna: Traveller, client: Client, express: Any
) -> None:
    ended = railway.departure(express, days_ahead=-3)
    block(ended, anna, 0)
    assert status(client, ended) == {"S1-1": "blocked"}
    assert holds_store().exists(f"{{{ended.id % 64}}}:image:{ended.id}") == 0


def test_without_redis_it_is_stale_and_shows_what_is_sold_and_blocked(
    anna: Traveller, departure: Departure, request: pytest.FixtureRequest
) -> None:
    book(anna, departure, "S1-2")
    block(departure, anna, 3)
    request.getfixturevalue("no_redis")
    body = show(Client(), departure)
    assert body["stale"] is True
    assert body["free"] == 14
    assert status(Client(), departure) == {"S1-2": "sold", "S1-4": "blocked"}
    assert status(anna.client, departure) == {"S1-2": "sold", "S1-4": "blocked"}


def test_a_load_that_fails_does_not_take_the_map_away(
    client: Client, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*, departure: int) -> None:
        raise redis.exceptions.OutOfMemoryError(f"{departure}: OOM")

    monkeypatch.setattr(seat_map, "load_image", full)
    assert show(client, departure)["free"] == 16


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ({"source": "XXX"}, {"source"}),
        ({"destination": "XXX"}, {"destination"}),
        ({"source": "CCC", "destination": "BBB"}, {"destination"}),
        ({"source": "EEE"}, {"destination"}),
        ({"source": "A" * 5000}, {"source"}),
    ],
)
def test_no_stretch_is_invalid_by_field(
    client: Client, departure: Departure, query: dict[str, str], fields: set[str]
) -> None:
    answer = client.get(f"/api/v1/departures/{departure.id}/seats/", query)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert set(answer.json()["errors"]) == fields


@pytest.mark.parametrize("departure_id", [0, 10**15, 2**63 - 1, 2**63, 10**30])
@pytest.mark.parametrize("path", ["seats/", ""])
def test_a_departure_that_does_not_exist_is_not_found(
    client: Client, departure_id: int, path: str
) -> None:
    answer = client.get(f"/api/v1/departures/{departure_id}/{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


def test_a_token_that_is_bad_is_refused(client: Client, departure: Departure) -> None:
    answer = client.get(
        f"/api/v1/departures/{departure.id}/seats/", headers={"Authorization": "Bearer x.y.z"}
    )
    assert answer.status_code == 401

"""Confirm, list, cancel: how a hold becomes a booking, once."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.outbox.consumers import consume_pending
from config.outbox.models import OutboxEvent
from config.stores.redis import holds_store
from reservations.models import BookedSeat, Booking
from reservations.services.expire_holds import expire_holds
from tests.availability import railway
from tests.engine import Traveller
from tests.reservations.test_hold_seats import wish
from trains.models import Departure, Train

pytestmark = pytest.mark.django_db(transaction=True)


def book(traveller: Traveller, departure: Departure, *seats: str, **fields: Any) -> dict[str, Any]:
    hold = traveller.post("reservations/lock/", wish(departure, *seats, **fields)).json()
    answer = traveller.post("reservations/confirm/", {"hold": hold["hold"]})
    assert answer.status_code == 201, answer.content
    booked: dict[str, Any] = answer.json()
    return booked


def test_a_confirmed_hold_is_a_booking_with_a_pnr(anna: Traveller, departure: Departure) -> None:
    booked = book(anna, departure, "S1-1", "S1-2")
    assert len(booked["pnr"]) == 10
    assert not set(booked["pnr"]) & set("01OILSZB258")
    assert booked["status"] == "confirmed"
    assert booked["seats"] == ["S1-1", "S1-2"]
    found = anna.get(f"reservations/bookings/{booked['pnr']}/")
    assert found.json() == booked
    assert anna.get("reservations/bookings/").json()["results"] == [booked]
    assert BookedSeat.objects.filter(live=True).count() == 2
    assert OutboxEvent.objects.get(kind="booking.confirmed").body["pnr"] == booked["pnr"]


def test_a_booked_seat_cannot_be_locked_and_leaves_no_hold_behind(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    book(anna, departure, "S1-1")
    assert anna.get("reservations/holds/").json()["count"] == 0
    assert bela.post("reservations/lock/", wish(departure, "S1-1")).status_code == 409
    store, shard = holds_store(), departure.id % 64
    assert store.exists(f"{{{shard}}}:live:{departure.id}") == 0
    assert store.exists(f"{{{shard}}}:confirming:{departure.id}") == 0


def test_confirm_is_one_statement(anna: Traveller, departure: Departure) -> None:
    hold = anna.post("reservations/lock/", wish(departure, "S1-1", "S1-2")).json()["hold"]
    with CaptureQueriesContext(connection) as queries:
        assert anna.post("reservations/confirm/", {"hold": hold}).status_code == 201
    assert len(queries.captured_queries) == 1
    assert queries.captured_queries[0]["sql"].lstrip().startswith("WITH moment")


def test_a_hold_that_ran_out_cannot_be_confirmed(
    anna: Traveller, departure: Departure, time_passes: Any
) -> None:
    hold = anna.post("reservations/lock/", wish(departure, "S1-1")).json()
    with time_passes(181):
        refused = anna.post(
            "reservations/confirm/", {"hold": hold["hold"], "capability": hold["capability"]}
        )
        assert refused.status_code == 410
        assert refused.json()["code"] == "hold-expired"
    assert not Booking.objects.exclude(status=Booking.Status.VOID).exists()


def test_a_released_hold_cannot_be_confirmed_by_its_capability(
    anna: Traveller, departure: Departure
) -> None:
    hold = anna.post("reservations/lock/", wish(departure, "S1-1")).json()
    anna.delete(f"reservations/holds/{hold['hold']}/")
    body = {"hold": hold["hold"], "capability": hold["capability"]}
    assert anna.post("reservations/confirm/", body).status_code == 410


def test_a_capability_brings_a_hold_back_after_redis_lost_its_memory(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    first = anna.post("reservations/lock/", wish(departure, "S1-1")).json()
    second = anna.post("reservations/lock/", wish(departure, "S1-2")).json()
    holds_store().flushall()
    assert bela.post("reservations/lock/", wish(departure, "S1-2")).status_code == 201

    def confirm(hold: dict[str, Any]) -> int:
        body = {"hold": hold["hold"], "capability": hold["capability"]}
        return int(anna.post("reservations/confirm/", body).status_code)

    assert anna.post("reservations/confirm/", {"hold": first["hold"]}).status_code == 410
    assert confirm(first) == 201
    assert confirm(second) == 410


def test_passengers_are_kept_one_per_seat(anna: Traveller, departure: Departure) -> None:
    hold = anna.post("reservations/lock/", wish(departure, "S1-1", "S1-2")).json()["hold"]
    people = [{"name": "Anna", "age": 30, "gender": "f"}, {"name": "Béla", "age": 31}]
    too_few = anna.post("reservations/confirm/", {"hold": hold, "passengers": people[:1]})
    assert too_few.status_code == 400
    booked = anna.post("reservations/confirm/", {"hold": hold, "passengers": people})
    assert booked.status_code == 201
    assert booked.json()["passengers"] == people


def test_a_cancelled_booking_frees_its_seats_at_once(
    anna: Traveller, bela: Traveller, express: Train
) -> None:
    departure = railway.departure(express, days_ahead=4)
    booked = book(anna, departure, "S1-1", "S1-2")
    path = f"reservations/bookings/{booked['pnr']}/cancel/"
    cancelled = anna.post(path)
    assert cancelled.status_code == 200
    assert cancelled.json() == {
        "pnr": booked["pnr"],
        "status": "cancelled",
        "seats": ["S1-1", "S1-2"],
        "refund": {"amount": booked["fare"]["amount"], "currency": "INR", "rule": "full"},
    }
    rebooked = book(bela, departure, "S1-1", "S1-2")
    assert rebooked["pnr"] != booked["pnr"]
    again = anna.post(path)
    assert again.status_code == 409
    assert again.json()["state"] == "cancelled"


def test_p6_a_booking_of_another_looks_absent_but_staff_may_cancel_it(
    anna: Traveller, bela: Traveller, controller: Traveller, departure: Departure
) -> None:
    pnr = book(anna, departure, "S1-1")["pnr"]
    assert bela.get(f"reservations/bookings/{pnr}/").status_code == 404
    assert bela.post(f"reservations/bookings/{pnr}/cancel/").status_code == 404
    assert controller.post(f"reservations/bookings/{pnr}/cancel/").status_code == 200


def test_lists_filter_by_status_and_date(anna: Traveller, departure: Departure) -> None:
    kept = book(anna, departure, "S1-1")
    gone = book(anna, departure, "S1-2")
    anna.post(f"reservations/bookings/{gone['pnr']}/cancel/")

    def pnrs(**query: str) -> list[str]:
        found = anna.get("reservations/bookings/", **query).json()
        return [booking["pnr"] for booking in found["results"]]

    day = departure.service_date.isoformat()
    assert pnrs(status="confirmed") == [kept["pnr"]]
    assert pnrs(status="cancelled") == [gone["pnr"]]
    assert pnrs(**{"from": day, "to": day}) == [gone["pnr"], kept["pnr"]]
    assert pnrs(to="2020-01-01") == []
    assert anna.get("reservations/bookings/", status="void").status_code == 400
    assert anna.get("reservations/bookings/", **{"from": "yesterday"}).status_code == 400


def test_blocked_seats_are_not_sold_until_given_back(
    anna: Traveller, controller: Traveller, departure: Departure
) -> None:
    path = f"operations/departures/{departure.id}/blocks/"
    assert anna.post(path, {"seats": ["S1-1"], "reason": "broken"}).status_code == 403
    anna.post("reservations/lock/", wish(departure, "S1-8"))
    blocked = controller.post(path, {"seats": ["S1-1"], "reason": "broken"})
    assert blocked.status_code == 200, blocked.content
    assert anna.post("reservations/lock/", wish(departure, "S1-1")).status_code == 409
    body = {"seats": ["S1-1"], "reason": "mended"}
    controller.client.delete(f"/api/v1/{path}", body, content_type="application/json")
    assert anna.post("reservations/lock/", wish(departure, "S1-1")).status_code == 201


def test_facts_are_consumed_and_sweeps_find_nothing_left(
    anna: Traveller, departure: Departure
) -> None:
    book(anna, departure, "S1-1")
    assert consume_pending() >= 1
    assert consume_pending() == 0
    assert expire_holds().pins == 0
    assert anna.post("reservations/lock/", wish(departure, "S1-1")).status_code == 409

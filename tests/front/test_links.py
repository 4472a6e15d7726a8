"""Every link of the OpenAPI document is followed once, with what it says to take along."""

import json
from datetime import timedelta
from typing import Any

import pytest
import yaml
from django.test import Client

from config.embedded.places import CHECKOUT
from tests.availability import railway
from tests.engine import Traveller
from trains.models import Departure

PASSWORD = "knock-knock-8341"
Call = tuple[str, str, dict[str, Any]]  # method, path template, operation


@pytest.fixture(scope="module")
def calls() -> dict[str, Call]:
    document = yaml.safe_load((CHECKOUT / "docs/openapi.yaml").read_text())
    return {
        operation["operationId"]: (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if isinstance(operation, dict)
    }


class Walker:
    """Makes calls as one client, and follows the links of their answers."""

    def __init__(self, client: Client, calls: dict[str, Call]) -> None:
        self.client = client
        self.calls = calls

    def call(
        self, name: str, body: Any = None, query: dict[str, Any] | None = None, **path: Any
    ) -> dict[str, Any]:
        method, template, operation = self.calls[name]
        sent = {} if body is None else body
        url = template.format(**path)
        answer = self.client.generic(
            method.upper(),
            url,
            "" if method == "get" else json.dumps(sent),
            content_type="application/json",
            query_params=query or {},
        )
        assert 200 <= answer.status_code < 300, (name, url, sent, answer.content)
        links = dict(operation["responses"][str(answer.status_code)].get("links", {}))
        given = answer.json() if answer.content else None
        return {"sent": sent, "query": query or {}, "answer": given, "links": links}

    def follow(self, from_: dict[str, Any], to: str, **more: Any) -> dict[str, Any]:
        """`more` is what a person adds to the body that the link gives."""
        link = from_["links"].pop(to)
        path = {name: resolved(value, from_) for name, value in link.get("parameters", {}).items()}
        body = resolved(link.get("requestBody", {}), from_)
        return self.call(to, {**body, **more}, **path)


def resolved(value: Any, step: dict[str, Any]) -> Any:
    """A runtime expression (or what is built of them) as the value it stands for."""
    if isinstance(value, dict):
        return {name: resolved(inner, step) for name, inner in value.items()}
    if not isinstance(value, str) or not value.startswith("$"):
        return value
    source, _, pointer = value.partition("#")
    if source.startswith("$request.query."):
        return step["query"][source.removeprefix("$request.query.")]
    found = {"$response.body": step["answer"], "$request.body": step["sent"]}[source]
    for part in pointer.strip("/").split("/"):
        found = found[int(part) if isinstance(found, list) else part]
    return found


def test_from_a_search_to_a_booking_that_is_cancelled(
    anna: Traveller, departure: Departure, calls: dict[str, Call]
) -> None:
    anna_walks = Walker(anna.client, calls)
    found = anna_walks.call(
        "search_departures",
        query={"source": "AAA", "destination": "CCC", "date": str(departure.service_date)},
    )
    held = anna_walks.follow(found, "lock_seats")
    anna_walks.follow(found, "show_departure")
    anna_walks.follow(found, "show_seats")
    anna_walks.follow(held, "show_hold")
    extended = anna_walks.follow(held, "extend_hold")
    for name in ("show_hold", "extend_hold"):
        anna_walks.follow(extended, name)
    anna_walks.follow(anna_walks.call("list_holds"), "show_hold")
    booked = anna_walks.follow(held, "confirm_hold")
    again = anna_walks.follow(extended, "confirm_hold")
    for step in (booked, again):
        anna_walks.follow(step, "show_booking")
        anna_walks.follow(step, "show_departure")
    anna_walks.follow(anna_walks.call("list_bookings"), "show_booking")
    cancelled = anna_walks.follow(booked, "cancel_booking")
    anna_walks.follow(cancelled, "show_booking")
    for name in ("release_hold", "staff_release_hold"):
        held["links"].pop(name, None)
    assert not any(step["links"] for step in (found, held, booked, cancelled))


def test_holds_are_given_back_by_their_owner_and_by_staff(
    anna: Traveller, controller: Traveller, departure: Departure, calls: dict[str, Call]
) -> None:
    wish = {"departure": departure.pk, "source": "AAA", "destination": "CCC", "count": 1}
    anna_walks, staff_walks = Walker(anna.client, calls), Walker(controller.client, calls)
    anna_walks.follow(anna_walks.call("lock_seats", wish), "release_hold")
    staff_walks.follow(anna_walks.call("lock_seats", wish), "staff_release_hold", reason="asked")
    anna_walks.call("lock_seats", wish)
    staff_walks.follow(staff_walks.call("staff_holds"), "staff_release_hold", reason="asked")


def test_an_account_is_made_and_logs_in_and_out(
    db: None, empty_redis: None, calls: dict[str, Call]
) -> None:
    walks = Walker(Client(), calls)
    made = walks.call(
        "register", {"username": "mira", "email": "mira@example.org", "password": PASSWORD}
    )
    begun = walks.follow(made, "login")
    renewed = walks.follow(begun, "refresh")
    again = walks.follow(renewed, "refresh")
    access = again["answer"]["access"]
    Walker(Client(headers={"Authorization": f"Bearer {access}"}), calls).follow(again, "logout")


def test_staff_go_from_a_train_to_its_departures(
    controller: Traveller, calls: dict[str, Call]
) -> None:
    walks = Walker(controller.client, calls)
    short = {"number": "77", "name": "Pier", "source": "Pier", "destination": "Hill"}
    made = walks.call("trains_create", {**short, "capacity": 8, "travel_class": "SL"})
    walks.follow(made, "trains_partial_update", name="Pier and Hill")
    walks.follow(walks.call("trains_list"), "trains_retrieve")
    last = Departure.objects.order_by("service_date").last()
    assert last is not None
    day = last.service_date + timedelta(days=30)
    run = walks.follow(made, "departures_create", service_date=str(day))
    for name in ("show_departure", "show_seats", "departures_generate_seats_create"):
        walks.follow(run, name)
    walks.follow(run, "departures_partial_update", status="closed")
    label = walks.follow(made, "trains_retrieve")["answer"]["coaches"][0]["label"]
    walks.follow(run, "block_seats", seats=[f"{label}-1"], reason="paint")
    walks.follow(run, "unblock_seats", seats=[f"{label}-1"], reason="dry")
    assert not run["links"]
    assert not made["links"]


def test_staff_go_from_a_template_to_its_changes(
    controller: Traveller, calls: dict[str, Call]
) -> None:
    walks = Walker(controller.client, calls)
    template = {"code": "BUS-8", "mode": "bus", "travel_class": "SEAT"}
    made = walks.call("vehicles_create", {**template, "layout": railway.CHAIR_ROW})
    walks.follow(made, "vehicles_retrieve")
    walks.follow(made, "vehicles_partial_update", name="Bus")

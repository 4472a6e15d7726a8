"""`vehicles/`: templates of coaches and buses, staff's alone."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from config.outbox.models import OutboxEvent
from trains.models import VehicleTemplate

URL = "/api/v1/vehicles/"
GOOD: dict[str, Any] = {
    "code": "BUS-2x1-24",
    "name": "Narrow bus",
    "mode": "bus",
    "travel_class": "SEAT",
    "layout": {
        "unit": "row",
        "capacity": 24,
        "seats": [
            {"position": "window", "x": 0, "y": 0},
            {"position": "aisle", "x": 1, "y": 0},
            {"position": "window", "x": 3, "y": 0, "deck": 0},
        ],
    },
}


def test_a_new_template(staff: APIClient, staff_user: Any) -> None:
    answer = staff.post(URL, GOOD, format="json")
    assert answer.status_code == 201, answer.content
    assert answer.json() == {**GOOD, "revision": 1}
    assert staff.get(URL).json()["results"] == [answer.json()]
    assert staff.get(f"{URL}{GOOD['code']}/").json() == answer.json()
    fact = OutboxEvent.objects.get(kind="vehicle.created")
    assert fact.body == {"vehicle": GOOD["code"], "actor": staff_user.pk}


@pytest.mark.parametrize("named_in", ["path", "body"])
def test_a_changed_template(staff: APIClient, named_in: str) -> None:
    staff.post(URL, GOOD, format="json")
    changes = {"name": "Other", "layout": {**GOOD["layout"], "capacity": 27}}
    if named_in == "path":
        answer = staff.patch(f"{URL}{GOOD['code']}/", changes, format="json")
    else:
        answer = staff.patch(URL, {"code": GOOD["code"], **changes}, format="json")
    assert answer.status_code == 200, answer.content
    assert answer.json() == {**GOOD, **changes, "revision": 2}
    fact = OutboxEvent.objects.get(kind="vehicle.changed")
    assert (fact.number, fact.body["fields"]) == (2, ["name", "layout"])


def test_a_change_that_changes_nothing_is_no_change(staff: APIClient) -> None:
    staff.post(URL, GOOD, format="json")
    answer = staff.patch(URL, GOOD, format="json")
    assert answer.json()["revision"] == 1
    assert not OutboxEvent.objects.filter(kind="vehicle.changed").exists()


@pytest.mark.parametrize(
    ("field", "value", "blamed"),
    [
        ("code", "A/B", "code"),
        ("code", None, "code"),
        ("mode", "ship", "mode"),
        ("travel_class", "S-L", "travel_class"),
        ("layout", None, "layout"),
        ("layout", "row", "layout"),
        ("layout", {**GOOD["layout"], "capacity": 2**70}, "layout.capacity"),
        ("layout", {**GOOD["layout"], "seats": []}, "layout"),
        (
            "layout",
            {**GOOD["layout"], "seats": [{"position": "roof", "x": 0, "y": 0}]},
            "layout.seats.0.position",
        ),
    ],
)
def test_what_is_wrong_is_named(staff: APIClient, field: str, value: Any, blamed: str) -> None:
    answer = staff.post(URL, {**GOOD, field: value}, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [blamed])
    assert not VehicleTemplate.objects.exists()


def test_a_code_in_use_is_invalid(staff: APIClient) -> None:
    staff.post(URL, GOOD, format="json")
    assert list(staff.post(URL, GOOD, format="json").json()["errors"]) == ["code"]


def test_an_unknown_template_is_not_found(staff: APIClient) -> None:
    assert staff.get(f"{URL}none/").status_code == 404
    assert staff.patch(f"{URL}none/", {"name": "x"}, format="json").status_code == 404
    assert staff.patch(URL, {"code": "none", "name": "x"}, format="json").status_code == 404


@pytest.mark.parametrize("path", ["", "SL-72/"])
def test_only_staff_see_templates(anybody: APIClient, traveller: APIClient, path: str) -> None:
    assert anybody.get(f"{URL}{path}").status_code == 401
    assert traveller.get(f"{URL}{path}").status_code == 403

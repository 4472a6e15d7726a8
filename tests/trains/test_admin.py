"""Django's admin: lists that cost the same for few rows and for many, changes through services."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from config.outbox.models import OutboxEvent
from tests.trains.conftest import MakeTrain
from trains.models import Coach, Departure, Feed, Seat, Train, VehicleTemplate
from trains.services.load_templates import load_templates
from trains.services.open_departures import open_departures
from users.models import User

LISTS = ("station", "train", "coach", "departure", "vehicletemplate", "feed", "servicecalendar")


@pytest.fixture
def office(db: None) -> Client:
    del db
    client = Client()
    client.force_login(
        User.objects.create_superuser("chief", "chief@example.org", "a long pass phrase")
    )
    return client


def _cost(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(path)
    assert answer.status_code == 200
    return len(queries)


@pytest.mark.parametrize("model", LISTS)
def test_a_list_costs_the_same_for_few_rows_and_for_many(
    office: Client, make_train: MakeTrain, model: str
) -> None:
    load_templates()
    path = f"/admin/trains/{model}/"
    make_train("1", seats=2)
    open_departures(window_days=0)
    _cost(office, path)  # the first look fills caches of Django's own
    few = _cost(office, path)
    feed = Feed.objects.create(code="north", name="Northern", timezone="Asia/Kolkata")
    for number in range(2, 8):
        make_train(str(number), seats=2)
    Train.objects.exclude(number="1").update(feed=feed)
    open_departures(window_days=3)
    assert _cost(office, path) == few


def test_the_list_of_trains_counts_stops_coaches_and_seats(
    office: Client, make_train: MakeTrain
) -> None:
    train = make_train(seats=4)
    Coach.objects.create(train=train, label="S2", travel_class="SL", capacity=5, order=1)
    page = office.get("/admin/trains/train/").content.decode()
    for column, count in (("stops", 3), ("coaches", 2), ("seats", 9)):
        assert re.search(rf"field-{column}\b[^>]*>\s*{count}\s*<", page), column


def test_a_train_page_costs_the_same_with_few_stops_and_with_many(
    office: Client, make_train: MakeTrain
) -> None:
    train = make_train(seats=4)
    path = f"/admin/trains/train/{train.pk}/change/"
    _cost(office, path)
    few = _cost(office, path)
    Coach.objects.bulk_create(
        Coach(train=train, label=f"T{n}", travel_class="SL", capacity=1, order=n)
        for n in range(1, 9)
    )
    assert _cost(office, path) == few


def test_a_train_is_renamed_through_the_service(office: Client, make_train: MakeTrain) -> None:
    train = make_train()
    data: dict[str, Any] = {"name": "Renamed"}
    for inline in ("coaches", "stops"):
        data |= {f"{inline}-TOTAL_FORMS": 0, f"{inline}-INITIAL_FORMS": 0}
    answer = office.post(f"/admin/trains/train/{train.pk}/change/", data)
    assert answer.status_code == 302, answer.content.decode()
    train.refresh_from_db()
    assert (train.name, train.revision) == ("Renamed", 2)
    assert OutboxEvent.objects.filter(kind="train.changed").exists()


def test_a_coach_is_added_and_grows_and_never_shrinks(
    office: Client, make_train: MakeTrain
) -> None:
    train = make_train()
    new = {"train": train.pk, "label": "S1", "travel_class": "SL", "capacity": 3}
    assert office.post("/admin/trains/coach/add/", new).status_code == 302
    coach = Coach.objects.get(train=train)
    path = f"/admin/trains/coach/{coach.pk}/change/"
    assert office.post(path, {"capacity": 5}).status_code == 302
    assert Seat.objects.filter(coach=coach).count() == 5
    answer = office.post(path, {"capacity": 4})
    assert "never shrinks" in answer.content.decode()
    assert Seat.objects.filter(coach=coach).count() == 5
    facts = OutboxEvent.objects.filter(kind="train.changed").values_list("body__fields", flat=True)
    assert list(facts) == [["coaches"], ["coaches"]]


@pytest.mark.parametrize(
    "wrong", [{"label": "S-1"}, {"label": "s9"}, {"capacity": 0}, {"capacity": 2001}]
)
def test_a_wrong_coach_is_told_on_the_page(
    office: Client, make_train: MakeTrain, wrong: dict[str, Any]
) -> None:
    train = make_train()
    Coach.objects.create(train=train, label="S9", travel_class="SL", capacity=1, order=0)
    new = {"train": train.pk, "label": "S1", "travel_class": "SL", "capacity": 3, **wrong}
    answer = office.post("/admin/trains/coach/add/", new)
    assert answer.status_code == 200
    (told,) = [text for texts in answer.context["errors"] for text in texts]
    assert escape(told) in answer.content.decode()
    assert Coach.objects.count() == 1


def test_departures_are_closed_and_reopened_by_the_handful(
    office: Client, make_train: MakeTrain
) -> None:
    make_train()
    open_departures(window_days=2)
    chosen = list(Departure.objects.order_by("pk").values_list("pk", flat=True)[:2])
    for action, status in (("close", "closed"), ("reopen", "open")):
        data = {"action": action, "_selected_action": chosen}
        assert office.post("/admin/trains/departure/", data).status_code == 302
        found = Departure.objects.filter(pk__in=chosen).values_list("status", "revision")
        assert {row[0] for row in found} == {status}
    assert OutboxEvent.objects.filter(kind="departure.closed").count() == 2


def test_a_departure_is_repriced_through_the_service(office: Client, make_train: MakeTrain) -> None:
    make_train()
    open_departures(window_days=0)
    departure = Departure.objects.get()
    data = {
        "status": "open",
        "fare_factor": "1.5",
        "sale_opens_at_0": "2031-01-01",
        "sale_opens_at_1": "08:00:00",
    }
    answer = office.post(f"/admin/trains/departure/{departure.pk}/change/", data)
    assert answer.status_code == 302, answer.content.decode()
    departure.refresh_from_db()
    assert (str(departure.fare_factor), departure.revision) == ("1.500", 2)


def test_templates_are_added_and_changed_through_the_service(office: Client) -> None:
    layout = '{"unit": "row", "capacity": 4, "seats": [{"position": "window", "x": 0, "y": 0}]}'
    new = {"code": "B", "name": "", "mode": "bus", "travel_class": "SEAT", "layout": layout}
    assert office.post("/admin/trains/vehicletemplate/add/", new).status_code == 302
    template = VehicleTemplate.objects.get()
    path = f"/admin/trains/vehicletemplate/{template.pk}/change/"
    assert office.post(path, {**new, "name": "Bus"}).status_code == 302
    template.refresh_from_db()
    assert (template.name, template.revision) == ("Bus", 2)
    answer = office.post(path, {**new, "layout": "{}"})
    assert "errorlist" in answer.content.decode()


@pytest.mark.parametrize("model", ["train", "coach", "departure", "station", "vehicletemplate"])
def test_nothing_is_deleted(office: Client, make_train: MakeTrain, model: str) -> None:
    make_train(seats=1)
    load_templates()
    open_departures(window_days=0)
    rows = {"train": Train, "coach": Coach, "departure": Departure}
    first = rows.get(model, Train).objects.first()  # type: ignore[attr-defined]
    answer = office.get(f"/admin/trains/{model}/{first.pk}/delete/")
    assert answer.status_code in {302, 403}
    data = {"action": "delete_selected", "_selected_action": [first.pk], "post": "yes"}
    office.post(f"/admin/trains/{model}/", data)
    assert Train.objects.exists()
    assert Coach.objects.exists()
    assert Departure.objects.exists()

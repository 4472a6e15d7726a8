"""`departures/` as staff add, close, reopen and re-price them."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from rest_framework.test import APIClient

from config import clock
from config.outbox.models import OutboxEvent
from tests.trains.conftest import MakeTrain
from trains import hooks, sale
from trains.models import Departure, Seat, Train
from trains.services.open_departures import open_departures

URL = "/api/v1/departures/"


@pytest.fixture
def train(make_train: MakeTrain) -> Train:
    return make_train(weekdays=0, seats=3)


@pytest.fixture
def departure(train: Train) -> Departure:
    train.calendars.update(weekdays=127)
    open_departures(window_days=1)
    return train.departures.latest("service_date")


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    told: list[list[int]] = []
    monkeypatch.setattr(hooks, "_listeners", [lambda ids: told.append(list(ids))])
    return told


def _day(ahead: int) -> str:
    return str(sale.local_date(clock.now(), "Asia/Kolkata") + timedelta(days=ahead))


def test_an_extra_run(staff: APIClient, staff_user: Any, train: Train) -> None:
    asked = {"train": "100", "service_date": _day(5), "fare_factor": "1.250"}
    answer = staff.post(URL, asked, format="json")
    assert answer.status_code == 201, answer.content
    departure = train.departures.get()
    shown = answer.json()
    assert shown["departure"] == departure.pk
    assert shown["train"] == {"number": "100", "name": "Test Express"}
    assert (shown["status"], shown["fare_factor"]) == ("open", "1.250")
    starts_at = sale.service_day_starts_at(departure.service_date, "Asia/Kolkata")
    assert (departure.starts_at, departure.ends_at) == (starts_at, starts_at + timedelta(hours=12))
    assert departure.sale_opens_at < clock.now()  # inside the window: on sale at once
    fact = OutboxEvent.objects.get(kind="departure.opened")
    assert fact.body == {"departure": departure.pk, "actor": staff_user.pk}


def test_an_extra_run_beyond_the_window_opens_when_its_date_enters(
    staff: APIClient, train: Train
) -> None:
    staff.post(URL, {"train": "100", "service_date": _day(100)}, format="json")
    opens = train.departures.get().sale_opens_at
    assert sale.local_date(opens, "Asia/Kolkata") == date.fromisoformat(_day(40))


def test_an_extra_run_may_be_born_closed_and_open_when_staff_say(
    staff: APIClient, train: Train
) -> None:
    asked = {
        "train": "100",
        "service_date": _day(5),
        "status": "closed",
        "sale_opens_at": "2031-01-01T00:00:00Z",
    }
    shown = staff.post(URL, asked, format="json").json()
    assert (shown["status"], shown["sale_opens_at"]) == ("closed", "2031-01-01T00:00:00Z")
    assert OutboxEvent.objects.filter(kind="departure.closed").exists()
    assert train.departures.get().status == "closed"


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no train": ({}, "train"),
    "unknown train": ({"train": "999"}, "train"),
    "train of another type": ({"train": {"number": "100"}}, "train"),
    "train with NUL": ({"train": "1\0"}, "train"),
    "no date": ({"service_date": None}, "service_date"),
    "a date that is none": ({"service_date": "2031-02-30"}, "service_date"),
    "a date of another type": ({"service_date": 20310101}, "service_date"),
    "a day long gone": ({"service_date": "0001-01-01"}, "service_date"),
    "yesterday": ({"service_date": "yesterday"}, "service_date"),
    "the end of time": ({"service_date": "9999-12-31"}, "service_date"),
    "an odd status": ({"status": "gone"}, "status"),
    "a factor below zero": ({"fare_factor": "-1"}, "fare_factor"),
    "a factor too large": ({"fare_factor": "100.001"}, "fare_factor"),
    "a factor beyond int64": ({"fare_factor": 2**70}, "fare_factor"),
    "a factor that is no number": ({"fare_factor": "NaN"}, "fare_factor"),
    "a sale before time": ({"sale_opens_at": "0001-01-01T00:00:00+14:00"}, "sale_opens_at"),
    "a sale after time": ({"sale_opens_at": "9999-12-31T23:59:59-12:00"}, "sale_opens_at"),
}


@pytest.mark.parametrize(("fields", "field"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_named_and_nothing_changes(
    staff: APIClient, train: Train, fields: dict[str, Any], field: str
) -> None:
    del train
    base = {"train": "100", "service_date": _day(5)} if fields else {}
    if fields.get("service_date") == "yesterday":
        fields = {"service_date": _day(-1)}
    answer = staff.post(URL, {**base, **fields}, format="json")
    assert answer.status_code == 400, answer.content
    assert field in answer.json()["errors"]
    assert not Departure.objects.exists()


def test_a_date_that_has_its_departure_is_changed_instead(
    staff: APIClient, departure: Departure
) -> None:
    asked = {"train": "100", "service_date": str(departure.service_date), "fare_factor": "2"}
    answer = staff.post(URL, asked, format="json")
    assert answer.status_code == 400
    assert str(departure.pk) in answer.json()["errors"]["service_date"][0]
    departure.refresh_from_db()
    assert departure.fare_factor == 1


def test_close_and_reopen(
    staff: APIClient,
    departure: Departure,
    heard: list[list[int]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    for revision, status, fact in ((2, "closed", "departure.closed"), (3, "open", None)):
        with django_capture_on_commit_callbacks(execute=True):
            answer = staff.patch(f"{URL}{departure.pk}/", {"status": status}, format="json")
        assert answer.status_code == 200, answer.content
        assert (answer.json()["status"], answer.json()["revision"]) == (status, revision)
        changed = OutboxEvent.objects.get(event_id=f"departure:{departure.pk}:changed:{revision}")
        assert changed.consumed_at is None
        assert OutboxEvent.objects.filter(kind=fact or "departure.opened").count() == 1
    assert heard == [[departure.pk]] * 2


def test_a_new_price_and_a_new_opening(staff: APIClient, departure: Departure) -> None:
    asked = {"fare_factor": "0.8", "sale_opens_at": "2031-01-01T00:00:00Z"}
    shown = staff.patch(f"{URL}{departure.pk}/", asked, format="json").json()
    assert (shown["fare_factor"], shown["sale_opens_at"]) == ("0.800", "2031-01-01T00:00:00Z")
    departure.refresh_from_db()
    assert departure.fare_factor == Decimal("0.8")
    fact = OutboxEvent.objects.get(kind="departure.changed")
    assert fact.body["fields"] == ["fare_factor", "sale_opens_at"]
    assert departure.revision == fact.number == 2


def test_a_change_that_changes_nothing_is_no_change(staff: APIClient, departure: Departure) -> None:
    asked = {"status": "open", "fare_factor": "1.000"}
    shown = staff.patch(f"{URL}{departure.pk}/", asked, format="json").json()
    assert shown["revision"] == 1
    assert not OutboxEvent.objects.exists()


@pytest.mark.parametrize("asked", [{"train": "200"}, {"service_date": "2031-01-01"}])
def test_train_and_date_of_a_departure_stay(
    staff: APIClient, departure: Departure, asked: dict[str, str]
) -> None:
    answer = staff.patch(f"{URL}{departure.pk}/", asked, format="json")
    assert list(answer.json()["errors"]) == list(asked)


@pytest.mark.parametrize("name", ["0", str(2**63), str(10**30)])
@pytest.mark.parametrize("rest", ["", "generate-seats/"])
def test_a_departure_that_is_not_there(staff: APIClient, name: str, rest: str) -> None:
    call = staff.post if rest else staff.patch
    answer = call(f"{URL}{name}/{rest}", {"status": "closed"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


def test_missing_seats_are_repaired_repeatably(staff: APIClient, departure: Departure) -> None:
    Seat.objects.filter(number=2).delete()
    url = f"{URL}{departure.pk}/generate-seats/"
    assert staff.post(url).json() == {"departure": departure.pk, "seats_made": 1}
    assert staff.post(url).json() == {"departure": departure.pk, "seats_made": 0}
    assert Seat.objects.count() == 3


def test_only_staff_touch_departures(
    anybody: APIClient, traveller: APIClient, departure: Departure
) -> None:
    before = list(Departure.objects.order_by("pk").values())
    calls: tuple[tuple[str, str, dict[str, str]], ...] = (
        ("post", URL, {"train": "100", "service_date": _day(9)}),
        ("patch", f"{URL}{departure.pk}/", {"status": "closed"}),
        ("post", f"{URL}{departure.pk}/generate-seats/", {}),
    )
    for method, url, asked in calls:
        for client, status in ((anybody, 401), (traveller, 403)):
            answer = getattr(client, method)(url, asked, format="json")
            assert (answer.status_code, method, url) == (status, method, url)
    assert list(Departure.objects.order_by("pk").values()) == before


def test_an_extra_run_in_another_zone_is_that_zones_day(
    staff: APIClient, make_train: MakeTrain
) -> None:
    make_train("300", timezone="America/Los_Angeles", weekdays=0)
    staff.post(URL, {"train": "300", "service_date": _day(3)}, format="json")
    departure = Departure.objects.get()
    local = departure.starts_at.astimezone(ZoneInfo("America/Los_Angeles"))
    assert datetime.combine(local.date(), local.time()) == datetime.fromisoformat(_day(3))

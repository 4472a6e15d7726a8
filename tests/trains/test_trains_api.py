"""`trains/`: created and changed by staff, in the full and in the short form."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from config import clock
from config.outbox.models import OutboxEvent
from tests.trains.conftest import MakeTrain
from trains import hooks
from trains.models import Coach, Departure, Feed, Seat, ServiceCalendar, Station, Stop, Train
from trains.sale import SaleState, local_date, moment_at, sale_state
from trains.services.load_templates import load_templates

URL = "/api/v1/trains/"
FULL: dict[str, Any] = {
    "number": "90101",
    "name": "Coast Night Express",
    "stops": [
        {"station": "AAA", "departure": "21:30", "day": 1, "distance_km": 0},
        {
            "station": "BBB",
            "arrival": "03:40",
            "departure": "03:45",
            "day": 2,
            "distance_km": "364.2",
        },
        {"station": "CCC", "arrival": "08:10:30", "day": 2, "distance_km": 580.4},
    ],
    "coaches": [
        {"label": "S1", "travel_class": "SL", "seats": 72},
        {"label": "B1", "travel_class": "3A", "template": "3A-64"},
        {"label": "X1", "travel_class": "XX", "seats": 3},
    ],
    "runs_on": ["mon", "wed", "mon"],
}
SHORT: dict[str, Any] = {
    "number": "7",
    "name": "Harbour Shuttle",
    "source": "AAA",
    "destination": "Airport",
    "capacity": 50,
}


@pytest.fixture(autouse=True)
def _templates(stations: list[Station]) -> None:
    del stations
    load_templates()


def _counts() -> list[int]:
    models = (Train, Stop, Coach, Seat, Departure, Station, ServiceCalendar, OutboxEvent)
    return [model.objects.count() for model in models]


def test_the_full_form(staff: APIClient, staff_user: Any) -> None:
    answer = staff.post(URL, FULL, format="json")
    assert answer.status_code == 201, answer.content
    train = Train.objects.get(number="90101")
    assert [
        (stop.station.code, stop.arrival_seconds, stop.departure_seconds, str(stop.distance_km))
        for stop in train.stops.select_related("station")
    ] == [
        ("AAA", 77_400, 77_400, "0.0"),
        ("BBB", 99_600, 99_900, "364.2"),
        ("CCC", 115_830, 115_830, "580.4"),
    ]
    seats = Seat.objects.filter(train=train).order_by("ordinal")
    assert list(seats.values_list("ordinal", flat=True)) == list(range(72 + 64 + 3))
    assert {seat.position for seat in seats.filter(coach__label="B1")[:3]} == {
        *("lower", "middle", "upper")
    }
    days = set(train.departures.values_list("service_date__week_day", flat=True))
    assert days == {2, 4}
    fact = OutboxEvent.objects.get(kind="train.created")
    assert fact.body == {"train": "90101", "actor": staff_user.pk}


def test_what_is_shown_is_what_may_be_sent(staff: APIClient, anybody: APIClient) -> None:
    shown = staff.post(URL, FULL, format="json").json()
    assert anybody.get(f"{URL}90101/").json() == shown
    assert shown["runs_on"] == ["mon", "wed"]
    assert shown["stops"][1] == {
        "sequence": 1,
        "station": "BBB",
        "name": "Beta Road",
        "arrival": "03:40",
        "departure": "03:45",
        "day": 2,
        "distance_km": "364.2",
        "pickup": True,
        "drop_off": True,
    }
    assert shown["coaches"][1] == {
        "label": "B1",
        "travel_class": "3A",
        "seats": 64,
        "template": "3A-64",
    }
    again = {**shown, "number": "90102"}
    copied = staff.post(URL, again, format="json")
    assert copied.status_code == 201, copied.content
    assert copied.json() == again


def test_the_short_form_is_on_sale_at_once(staff: APIClient) -> None:
    answer = staff.post(URL, SHORT, format="json")
    assert answer.status_code == 201, answer.content
    train = Train.objects.get(number="7")
    airport = Station.objects.get(name="Airport")
    assert airport.code == "AIRPORT"
    stops = list(train.stops.select_related("station"))
    assert [stop.station.code for stop in stops] == ["AAA", "AIRPORT"]
    assert [stop.departure_seconds for stop in stops] == [8 * 3600, 9 * 3600]
    assert stops[1].distance_km == Decimal(10)
    coach = train.coaches.get()
    assert (coach.label, coach.travel_class, coach.capacity) == ("GEN1", "GEN", 50)
    assert Seat.objects.filter(coach=coach).count() == 50
    today = local_date(clock.now(), train.timezone)
    dates = list(train.departures.order_by("service_date").values_list("service_date", flat=True))
    assert dates == [today + timedelta(days=n) for n in range(61)]
    tomorrow = train.departures.get(service_date=today + timedelta(days=1))
    assert SaleState.OPEN is sale_state(
        now=clock.now(),
        status=tomorrow.status,
        sale_opens_at=tomorrow.sale_opens_at,
        boards_at=moment_at(tomorrow.starts_at, stops[0].departure_seconds),
    )


def test_the_short_form_in_all_its_fields(staff: APIClient) -> None:
    asked = {
        **SHORT,
        "source": "beta road",
        "destination": "CCC",
        "departs_at": "23:30",
        "duration_minutes": 90,
        "travel_class": "CC",
        "distance_km": "123.44",
        "mode": "bus",
    }
    shown = staff.post(URL, asked, format="json").json()
    assert [(s["station"], s["arrival"], s["day"], s["distance_km"]) for s in shown["stops"]] == [
        ("BBB", "23:30", 1, "0.0"),
        ("CCC", "01:00", 2, "123.4"),
    ]
    assert shown["mode"] == "bus"
    assert shown["coaches"][0]["label"] == "CC1"


def test_a_short_train_between_known_places_is_measured_by_great_circle(staff: APIClient) -> None:
    shown = staff.post(URL, {**SHORT, "destination": "BBB"}, format="json").json()
    assert shown["stops"][1]["distance_km"] == "111.2"


def test_a_new_name_used_again_is_the_same_station(staff: APIClient) -> None:
    for number, name in (("7", "New Place"), ("8", "new place"), ("9", "NEWPLACE")):
        asked = {**SHORT, "number": number, "destination": name}
        assert staff.post(URL, asked, format="json").status_code == 201
    assert Station.objects.filter(name__iexact="new place").count() == 1
    asked = {**SHORT, "number": "10", "destination": "New-Place"}
    shown = staff.post(URL, asked, format="json").json()
    assert shown["stops"][1]["station"] == "NEWPLACE2"


def test_a_name_of_several_stations_needs_a_code(staff: APIClient) -> None:
    for code in ("T1", "T2"):
        Station.objects.create(code=code, name="Twin", timezone="Asia/Kolkata")
    answer = staff.post(URL, {**SHORT, "destination": "Twin"}, format="json")
    assert list(answer.json()["errors"]) == ["destination"]


def test_128_stops_are_a_train_and_129_are_not(staff: APIClient) -> None:
    Station.objects.bulk_create(
        Station(code=f"N{n}", name=f"Stop {n}", timezone="Asia/Kolkata") for n in range(129)
    )
    stops = [
        {"station": f"N{n}", "departure": f"{6 + n // 60:02}:{n % 60:02}", "distance_km": n}
        for n in range(129)
    ]
    assert staff.post(URL, {**FULL, "stops": stops[:128]}, format="json").status_code == 201
    answer = staff.post(URL, {**FULL, "number": "2", "stops": stops}, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["stops"])


def _stop(index: int, **fields: Any) -> dict[str, Any]:
    stops = [dict(stop) for stop in FULL["stops"]]
    stops[index].update(fields)
    return {**FULL, "stops": stops}


def _coach(**fields: Any) -> dict[str, Any]:
    return {**FULL, "coaches": [{**FULL["coaches"][0], **fields}]}


WRONG: dict[str, tuple[Any, str]] = {
    "no body": ({}, "number"),
    "number of another type": ({**FULL, "number": ["1"]}, "number"),
    "number with a slash": ({**FULL, "number": "1/2"}, "number"),
    "number too long": ({**FULL, "number": "1" * 41}, "number"),
    "name with NUL": ({**FULL, "name": "a\0b"}, "name"),
    "name of half a character": ({**FULL, "name": "\ud800"}, "body"),
    "unknown mode": ({**FULL, "mode": "ship"}, "mode"),
    "no stops": ({**FULL, "stops": []}, "stops"),
    "stops of another type": ({**FULL, "stops": "AAA"}, "stops"),
    "a stop of another type": ({**FULL, "stops": ["AAA", "BBB"]}, "stops.0"),
    "unknown station": (_stop(1, station="ZZZ"), "stops.1.station"),
    "station of another type": (_stop(1, station={}), "stops.1.station"),
    "station with NUL": (_stop(1, station="A\0"), "stops.1.station"),
    "a stop after itself": (_stop(1, station="AAA"), "stops.1.station"),
    "a time that is none": (_stop(1, arrival="25:00"), "stops.1.arrival"),
    "a time of another type": (_stop(1, arrival=340), "stops.1.arrival"),
    "no time": (_stop(2, arrival=None), "stops.2"),
    "time running backwards": (_stop(1, day=1), "stops.1"),
    "day beyond int64": (_stop(1, day=2**70), "stops.1.day"),
    "day negative": (_stop(1, day=-1), "stops.1.day"),
    "distance shrinking": (_stop(2, distance_km=1), "stops.2.distance_km"),
    "distance infinite": (_stop(2, distance_km="Infinity"), "stops.2.distance_km"),
    "distance huge": (_stop(2, distance_km="1e30"), "stops.2.distance_km"),
    "no coaches": ({**FULL, "coaches": []}, "coaches"),
    "label with a dash": (_coach(label="S-1"), "coaches.0.label"),
    "label with a comma": (_coach(label="S,1"), "coaches.0.label"),
    "label with a space": (_coach(label="S 1"), "coaches.0.label"),
    "label with an equals sign": (_coach(label="S=1"), "coaches.0.label"),
    "label with a line break": (_coach(label="S1\n2"), "coaches.0.label"),
    "label too long": (_coach(label="S" * 13), "coaches.0.label"),
    "label not of ASCII": (_coach(label="Ś1"), "coaches.0.label"),
    "two coaches of one label": ({**FULL, "coaches": [FULL["coaches"][0]] * 2}, "coaches.1.label"),
    "no seats": (_coach(seats=0), "coaches.0.seats"),
    "too many seats": (_coach(seats=2001), "coaches.0.seats"),
    "seats beyond int64": (_coach(seats=2**64), "coaches.0.seats"),
    "neither seats nor template": (
        {**FULL, "coaches": [{"label": "S1", "travel_class": "SL"}]},
        "coaches.0.seats",
    ),
    "unknown template": (_coach(template="NONE"), "coaches.0.template"),
    "template of another mode": (_coach(template="BUS-2x2-40"), "coaches.0.template"),
    "no days": ({**FULL, "runs_on": []}, "runs_on"),
    "a day that is none": ({**FULL, "runs_on": ["mon", "monday"]}, "runs_on.1"),
    "days of another type": ({**FULL, "runs_on": {"mon": True}}, "runs_on"),
    "short without capacity": (
        {key: value for key, value in SHORT.items() if key != "capacity"},
        "capacity",
    ),
    "short with no seats": ({**SHORT, "capacity": 0}, "capacity"),
    "short with too many seats": ({**SHORT, "capacity": 2001}, "capacity"),
    "short with half a seat": ({**SHORT, "capacity": 1.5}, "capacity"),
    "short from a place to itself": ({**SHORT, "destination": "alpha junction"}, "destination"),
    "short to a nameless place": ({**SHORT, "destination": "—"}, "destination"),
    "short that takes no time": ({**SHORT, "duration_minutes": 0}, "duration_minutes"),
    "short that never ends": ({**SHORT, "duration_minutes": 10**30}, "duration_minutes"),
    "short with an odd class": ({**SHORT, "travel_class": "S-L"}, "travel_class"),
    "short that departs nowhen": ({**SHORT, "departs_at": "8 o'clock"}, "departs_at"),
    "short of negative length": ({**SHORT, "distance_km": -1}, "distance_km"),
}


@pytest.mark.parametrize(("asked", "field"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_named_and_nothing_changes(
    staff: APIClient, asked: Any, field: str
) -> None:
    before = _counts()
    # As text: the client's own encoder refuses half a character.
    answer = staff.post(URL, json.dumps(asked), content_type="application/json")
    assert answer.status_code == 400, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "invalid"
    assert any(name == field or name.startswith(f"{field}.") for name in problem["errors"]), problem
    assert _counts() == before


@pytest.mark.parametrize("form", [FULL, SHORT])
def test_a_number_in_use_is_invalid(staff: APIClient, form: dict[str, Any]) -> None:
    assert staff.post(URL, form, format="json").status_code == 201
    before = _counts()
    answer = staff.post(URL, {**form, "name": "Another"}, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["number"])
    assert _counts() == before


@pytest.mark.parametrize("method", ["post", "patch"])
def test_only_staff_write(
    anybody: APIClient, traveller: APIClient, make_train: MakeTrain, method: str
) -> None:
    make_train()
    url = URL if method == "post" else f"{URL}100/"
    before = _counts()
    for client, status, code in (
        (anybody, 401, "not-authenticated"),
        (traveller, 403, "forbidden"),
    ):
        answer = getattr(client, method)(url, SHORT, format="json")
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert _counts() == before


@pytest.mark.parametrize("path", ["stations/", "trains/", "trains/100/"])
def test_reading_is_open_but_a_bad_token_is_401(
    anybody: APIClient, make_train: MakeTrain, path: str
) -> None:
    make_train()
    assert anybody.get(f"/api/v1/{path}").status_code == 200
    anybody.credentials(HTTP_AUTHORIZATION="Bearer nonsense")
    answer = anybody.get(f"/api/v1/{path}")
    assert (answer.status_code, answer.json()["code"]) == (401, "not-authenticated")


@pytest.mark.parametrize("number", ["none", "1%00", "%FF", "1" * 300])
def test_a_train_that_is_not_there(anybody: APIClient, number: str) -> None:
    answer = anybody.get(f"{URL}{number}/")
    assert answer.status_code in {400, 404}
    assert answer["Content-Type"] == "application/problem+json"


def test_a_repeat_with_its_key_gets_the_first_answer_again(staff: APIClient) -> None:
    first = staff.post(URL, SHORT, format="json", headers={"Idempotency-Key": "once"})
    before = _counts()
    again = staff.post(URL, SHORT, format="json", headers={"Idempotency-Key": "once"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again["Idempotency-Replayed"] == "true"
    assert again.json() == first.json()
    assert _counts() == before


def test_the_list(
    anybody: APIClient, make_train: MakeTrain, django_assert_max_num_queries: Any
) -> None:
    for number in ("100", "200", "201"):
        make_train(number, seats=4)
    Train.objects.filter(number="201").update(mode="bus")
    with django_assert_max_num_queries(5):
        listed = anybody.get(URL).json()
    assert listed["count"] == 3
    assert listed["results"][0] == {
        "number": "100",
        "name": "Test Express",
        "mode": "rail",
        "timezone": "Asia/Kolkata",
        "runs_on": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        "seats": 4,
        "source": {"code": "AAA", "name": "Alpha Junction", "departs_at": "08:00"},
        "destination": {"code": "CCC", "name": "Gamma Town", "arrives_at": "12:00", "day": 1},
        "classes": ["SL"],
    }
    assert [row["number"] for row in anybody.get(f"{URL}?q=20").json()["results"]] == ["200", "201"]
    assert [row["number"] for row in anybody.get(f"{URL}?mode=bus").json()["results"]] == ["201"]
    assert anybody.get(f"{URL}?mode=ship").status_code == 400


def test_the_list_costs_the_same_for_one_train_and_for_many(
    anybody: APIClient, make_train: MakeTrain, django_assert_num_queries: Any
) -> None:
    for number in range(1, 12):
        make_train(str(number), seats=2)
    with django_assert_num_queries(5):
        anybody.get(f"{URL}?limit=1")
    with django_assert_num_queries(5):
        anybody.get(f"{URL}?limit=11")


def test_a_train_costs_the_same_with_few_stops_and_with_many(
    staff: APIClient, anybody: APIClient, make_train: MakeTrain, django_assert_num_queries: Any
) -> None:
    make_train("100", seats=3)
    staff.post(URL, FULL, format="json")
    for number in ("100", "90101"):
        with django_assert_num_queries(4):
            anybody.get(f"{URL}{number}/")


def test_the_hooks_are_not_asked_when_a_train_is_made(
    staff: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(hooks, "_guards", [asked.append])
    staff.post(URL, SHORT, format="json")
    assert asked == []


def test_a_train_of_a_feed_shows_its_feed(anybody: APIClient, make_train: MakeTrain) -> None:
    feed = Feed.objects.create(code="north", name="Northern", timezone="Asia/Kolkata")
    train = make_train()
    Train.objects.filter(pk=train.pk).update(feed=feed)
    assert anybody.get(f"{URL}100/").json()["feed"] == "north"

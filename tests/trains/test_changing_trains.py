"""`PATCH trains/<number>/`: what may change, what is fixed, and who hears of it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from rest_framework.test import APIClient

from config import clock
from config.outbox.models import OutboxEvent
from tests.trains.conftest import MakeTrain
from tests.trains.rivals import Rival, after_statement
from trains import hooks
from trains.models import Coach, Departure, Feed, Seat, Stop, Train
from trains.proposals import ProposedCoach
from trains.services.change_train import TrainChanges, change_train
from trains.services.load_templates import load_templates
from trains.services.open_departures import open_departures

URL = "/api/v1/trains/100/"
TWO_STOPS = [
    {"station": "AAA", "departure": "09:00", "distance_km": 0},
    {"station": "CCC", "arrival": "08:00", "day": 2, "distance_km": 200},
]


@pytest.fixture
def train(make_train: MakeTrain) -> Train:
    """Daily along three stations, four seats, on sale."""
    load_templates()
    train = make_train(seats=4)
    open_departures()
    return train


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """What a listener is told."""
    told: list[list[int]] = []
    monkeypatch.setattr(hooks, "_listeners", [lambda ids: told.append(list(ids))])
    return told


@pytest.fixture
def sold(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[int]]:
    """Trains that a guard says have sales."""
    trains: set[int] = set()
    monkeypatch.setattr(hooks, "_guards", [lambda ids: trains & set(ids)])
    return trains  # type: ignore[return-value]  # pytest takes either


def _state(train: Train) -> Any:
    return (
        list(Train.objects.filter(pk=train.pk).values()),
        list(Stop.objects.filter(train=train).order_by("sequence").values()),
        list(Coach.objects.filter(train=train).order_by("order").values()),
        list(Departure.objects.filter(train=train).order_by("pk").values()),
        Seat.objects.filter(train=train).count(),
        OutboxEvent.objects.count(),
    )


def test_a_new_name(staff: APIClient, staff_user: Any, train: Train) -> None:
    answer = staff.patch(URL, {"name": "Renamed"}, format="json")
    assert (answer.status_code, answer.json()["name"]) == (200, "Renamed")
    before = train.revision
    train.refresh_from_db()
    assert train.revision == before + 2  # the fixture's copy is from before its seats
    fact = OutboxEvent.objects.get(kind="train.changed")
    assert fact.body == {"train": "100", "fields": ["name"], "actor": staff_user.pk}
    assert fact.number == train.revision


def test_a_coach_more_and_a_coach_grown(staff: APIClient, train: Train) -> None:
    asked = {
        "coaches": [
            {"label": "S1", "travel_class": "SL", "seats": 6},
            {"label": "B1", "travel_class": "3A", "template": "3A-64"},
        ]
    }
    answer = staff.patch(URL, asked, format="json")
    assert answer.status_code == 200, answer.content
    assert [(c["label"], c["seats"]) for c in answer.json()["coaches"]] == [("S1", 6), ("B1", 64)]
    seats = Seat.objects.filter(train=train).order_by("ordinal")
    assert [(s.coach.label, s.number) for s in seats.select_related("coach")[:6]] == [
        *(("S1", n) for n in range(1, 7))
    ]
    assert seats.count() == 70


def test_every_open_departure_is_touched_and_announced_after_the_commit(
    staff: APIClient, train: Train, heard: list[list[int]], django_capture_on_commit_callbacks: Any
) -> None:
    upcoming = sorted(train.departures.values_list("pk", flat=True))
    asked = {"coaches": [{"label": "S1", "travel_class": "SL", "seats": 6}]}
    with django_capture_on_commit_callbacks() as callbacks:
        staff.patch(URL, asked, format="json")
        assert heard == []
    for callback in callbacks:
        callback()
    assert heard == [upcoming]
    facts = OutboxEvent.objects.filter(kind="departure.changed", consumed_at=None)
    assert {fact.body["departure"] for fact in facts} == set(upcoming)
    for departure in train.departures.all():
        name = f"departure:{departure.pk}:changed:{departure.revision}"
        assert OutboxEvent.objects.filter(event_id=name).exists()


def test_departures_that_are_over_are_left_alone(
    staff: APIClient, train: Train, heard: list[list[int]], django_capture_on_commit_callbacks: Any
) -> None:
    first = train.departures.order_by("service_date").first()
    assert first is not None
    Departure.objects.filter(pk=first.pk).update(ends_at=clock.now() - timedelta(seconds=1))
    with django_capture_on_commit_callbacks(execute=True):
        staff.patch(URL, {"name": "Renamed"}, format="json")
    assert first.pk not in heard[0]
    assert len(heard[0]) == train.departures.count() - 1


def test_a_change_that_changes_nothing_is_no_change(staff: APIClient, train: Train) -> None:
    shown = staff.get(URL).json()
    before = _state(train)
    asked = {key: shown[key] for key in ("name", "stops", "coaches", "runs_on")}
    answer = staff.patch(URL, asked, format="json")
    assert (answer.status_code, answer.json()) == (200, shown)
    assert _state(train) == before


def test_stops_without_sales_may_be_replaced(staff: APIClient, train: Train) -> None:
    answer = staff.patch(URL, {"stops": TWO_STOPS}, format="json")
    assert answer.status_code == 200, answer.content
    assert [stop["station"] for stop in answer.json()["stops"]] == ["AAA", "CCC"]
    for departure in train.departures.all():
        assert departure.ends_at == departure.starts_at + timedelta(hours=32)


@pytest.mark.parametrize("how", ["sold", "held"])
def test_stops_are_fixed_once_somebody_has_bought_or_holds(
    staff: APIClient,
    train: Train,
    sold: set[int],
    how: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if how == "sold":
        sold.add(train.pk)
    else:
        held = train.departures.latest("service_date").pk
        monkeypatch.setattr(hooks, "_keepers", [lambda ids: {held} if train.pk in ids else set()])
    before = _state(train)
    answer = staff.patch(URL, {"stops": TWO_STOPS, "name": "Renamed"}, format="json")
    assert answer.status_code == 409
    problem = answer.json()
    assert (problem["code"], problem["state"]) == ("illegal-state", "on-sale")
    assert _state(train) == before


def test_what_is_over_does_not_fix_the_stops(
    staff: APIClient, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = train.departures.earliest("service_date")
    Departure.objects.filter(pk=over.pk).update(ends_at=clock.now() - timedelta(seconds=1))
    monkeypatch.setattr(hooks, "_keepers", [lambda _: {over.pk}])
    assert staff.patch(URL, {"stops": TWO_STOPS}, format="json").status_code == 200


def test_a_train_with_sales_may_still_grow_and_be_renamed(
    staff: APIClient, train: Train, sold: set[int]
) -> None:
    sold.add(train.pk)
    asked = {
        "name": "Renamed",
        "coaches": [{"label": "S1", "travel_class": "SL", "seats": 5}],
        "runs_on": ["mon"],
    }
    assert staff.patch(URL, asked, format="json").status_code == 200


def test_stops_and_days_of_a_feed_belong_to_the_feed(staff: APIClient, train: Train) -> None:
    train.feed = Feed.objects.create(code="north", name="Northern", timezone="Asia/Kolkata")
    train.save(update_fields=["feed"])
    before = _state(train)
    for asked in ({"stops": TWO_STOPS}, {"runs_on": ["mon"]}):
        answer = staff.patch(URL, asked, format="json")
        assert (answer.status_code, answer.json()["state"]) == (409, "from-feed")
    assert _state(train) == before
    assert staff.patch(URL, {"name": "Renamed"}, format="json").status_code == 200


def test_days_taken_away_close_and_days_that_come_back_reopen(
    staff: APIClient, train: Train
) -> None:
    assert staff.patch(URL, {"runs_on": ["mon", "tue"]}, format="json").status_code == 200
    departures = Departure.objects.filter(train=train)
    still_open = departures.filter(status="open")
    assert {day.weekday() for day in still_open.values_list("service_date", flat=True)} == {0, 1}
    closed = OutboxEvent.objects.filter(kind="departure.closed").count()
    assert closed == departures.filter(status="closed").count() > 0
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    assert staff.patch(URL, {"runs_on": days}, format="json").json()["runs_on"] == days
    assert not departures.filter(status="closed").exists()
    assert OutboxEvent.objects.filter(kind="departure.opened").count() == closed


def test_new_days_are_on_sale_at_once(staff: APIClient, make_train: MakeTrain) -> None:
    train = make_train(weekdays=0b1)
    open_departures()
    staff.patch(URL, {"runs_on": ["mon", "sun"]}, format="json")
    dates = train.departures.values_list("service_date", flat=True)
    assert {day.weekday() for day in dates} == {0, 6}


def _short(staff: APIClient) -> str:
    asked = {"number": "7", "name": "S", "source": "AAA", "destination": "BBB", "capacity": 5}
    assert staff.post("/api/v1/trains/", asked, format="json").status_code == 201
    return "/api/v1/trains/7/"


def test_the_short_form_changes_a_short_train(staff: APIClient, train: Train) -> None:
    del train
    url = _short(staff)
    moved = staff.patch(url, {"departs_at": "23:30"}, format="json").json()["stops"]
    assert [(stop["departure"], stop["day"]) for stop in moved] == [("23:30", 1), ("00:30", 2)]
    asked = {"destination": "New Place", "duration_minutes": 120, "capacity": 9}
    changed = staff.patch(url, asked, format="json").json()
    assert [stop["name"] for stop in changed["stops"]] == ["Alpha Junction", "New Place"]
    assert [stop["arrival"] for stop in changed["stops"]] == ["23:30", "01:30"]
    assert changed["seats"] == 9
    further = staff.patch(url, {"distance_km": "44"}, format="json").json()
    assert further["stops"][1]["distance_km"] == "44.0"


WRONG: dict[str, tuple[Any, str]] = {
    "a coach shrinks": (
        {"coaches": [{"label": "S1", "travel_class": "SL", "seats": 3}]},
        "coaches.0.seats",
    ),
    "a coach changes its class": (
        {"coaches": [{"label": "S1", "travel_class": "3A", "seats": 4}]},
        "coaches.0.travel_class",
    ),
    "a coach differs in case only": (
        {"coaches": [{"label": "s1", "travel_class": "SL", "seats": 4}]},
        "coaches.1.label",
    ),
    "the capacity shrinks": ({"capacity": 3}, "coaches.0.seats"),
    "the number changes": ({"number": "101"}, "number"),
    "the mode changes": ({"mode": "bus"}, "mode"),
    "the short form for three stops": ({"departs_at": "09:00"}, "departs_at"),
    "both forms": ({"stops": TWO_STOPS, "source": "AAA"}, "stops"),
    "both forms of coaches": (
        {"capacity": 9, "coaches": [{"label": "S1", "travel_class": "SL", "seats": 9}]},
        "coaches",
    ),
    "an unknown station": (
        {"stops": [TWO_STOPS[0], {**TWO_STOPS[1], "station": "ZZZ"}]},
        "stops.1.station",
    ),
    "no name": ({"name": ""}, "name"),
    "a name that is null": ({"name": None}, "name"),
}


@pytest.mark.parametrize(("asked", "field"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_named_and_nothing_changes(
    staff: APIClient, train: Train, asked: Any, field: str
) -> None:
    before = _state(train)
    answer = staff.patch(URL, asked, format="json")
    assert answer.status_code == 400, answer.content
    assert list(answer.json()["errors"]) == [field]
    assert _state(train) == before


def test_capacity_alone_says_nothing_about_a_train_of_two_coaches(
    staff: APIClient, train: Train
) -> None:
    Coach.objects.create(train=train, label="S2", travel_class="SL", capacity=2, order=1)
    answer = staff.patch(URL, {"capacity": 9}, format="json")
    assert list(answer.json()["errors"]) == ["capacity"]


def test_an_unknown_train_is_not_found(staff: APIClient, train: Train) -> None:
    del train
    answer = staff.patch("/api/v1/trains/nope/", {"name": "x"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


@pytest.mark.django_db(transaction=True)
def test_two_who_grow_a_coach_at_once_both_get_what_they_asked_for(make_train: MakeTrain) -> None:
    train = make_train(seats=2)

    def grow(label: str) -> Train:
        coach = ProposedCoach(label=label, travel_class="SL", seats=3)
        return change_train(number="100", changes=TrainChanges(coaches=[coach]), actor_id=None)

    rival = Rival(act=lambda: grow("S3"))

    def let_the_rival_come() -> None:
        rival.start()
        rival.wait_until_blocked()

    with after_statement("FOR NO KEY UPDATE", let_the_rival_come):
        grow("S2")
    assert isinstance(rival.finish(), Train)
    ordinals = Seat.objects.filter(train=train).values_list("ordinal", flat=True)
    assert sorted(ordinals) == list(range(8))
    assert sorted(train.coaches.values_list("order", flat=True)) == [0, 1, 2]


@pytest.mark.django_db(transaction=True)
def test_a_booking_under_way_is_waited_for_or_waits(
    make_train: MakeTrain, staff: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A booking's row takes the key of its departure. Who changes stops first locks the
    departures, so such a row is either committed before the guards look, or comes after.
    """
    train = make_train(seats=2)
    open_departures(window_days=1)
    departure = train.departures.latest("service_date")
    seen: list[str] = []

    def guard(train_ids: Any) -> set[int]:
        del train_ids
        seen.append("guard asked")
        return set()

    monkeypatch.setattr(hooks, "_guards", [guard])
    rival = Rival(act=lambda: staff.patch(URL, {"stops": TWO_STOPS}, format="json").status_code)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM trains_departure WHERE id = %s FOR KEY SHARE", [departure.pk])
        rival.start()
        rival.wait_until_blocked()
        assert seen == []
    assert rival.finish() == 200
    assert seen == ["guard asked"]

"""Searches are answered from memory, and show nothing that is older than the question."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from django.db import OperationalError, transaction
from django.test import Client

from config import clock
from config.stores import keys
from config.stores.redis import as_bytes, holds_store
from reservations.api.departures.search import describe_found, render_found
from reservations.availability import timetable
from reservations.availability.find_departures import Journey
from tests.availability import railway
from tests.availability.searching import refused, search
from tests.engine import Traveller
from tests.reservations.test_hold_seats import wish
from trains import timetable_mark
from trains.models import Departure, Station, Train

pytestmark = pytest.mark.django_db(transaction=True)
Counted = Callable[[int], AbstractContextManager[Any]]
Time = Callable[[float], AbstractContextManager[None]]


@pytest.fixture
def known(client: Client, anna: Traveller, departure: Departure) -> Departure:
    """A departure on sale, found once; its image is loaded."""
    assert anna.post("reservations/lock/", wish(departure, "S1-1")).status_code == 201
    assert search(client, "AAA", "BBB", departure.service_date)["count"] == 1
    return departure


def test_a_departure_that_closes_is_gone_at_once(client: Client, known: Departure) -> None:
    Departure.objects.filter(pk=known.pk).update(status="closed")
    assert search(client, "AAA", "BBB", known.service_date)["count"] == 0


def test_a_new_train_a_price_and_a_name_show_at_once(client: Client, known: Departure) -> None:
    day = known.service_date
    railway.departure(railway.train("30001"))
    assert search(client, "AAA", "BBB", day)["count"] == 2

    def fare() -> str:
        rows = {row["departure"]: row for row in search(client, "AAA", "BBB", day)["results"]}
        return str(rows[known.pk]["classes"][0]["fare"]["amount"])

    before = fare()
    Departure.objects.filter(pk=known.pk).update(fare_factor=2, revision=99)
    assert Decimal(fare()) > Decimal(before)
    Train.objects.filter(pk=known.train_id).update(name="Night Owl", revision=99)
    named = search(client, "AAA", "BBB", day)["results"]
    assert "Night Owl" in [row["train"]["name"] for row in named]


def test_what_another_process_keeps_it_reads_again(
    client: Client, known: Departure, django_assert_num_queries: Counted
) -> None:
    """The mark alone tells: who made the change, and where, does not matter."""
    holds_store().set(keys.TIMETABLE, "moved by somebody else")
    with django_assert_num_queries(2):
        search(client, "AAA", "BBB", known.service_date)
    with django_assert_num_queries(0):
        search(client, "AAA", "BBB", known.service_date)


def test_a_change_that_was_not_announced_shows_when_memory_is_old(
    client: Client, known: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = as_bytes(holds_store().get(keys.TIMETABLE)) or b""
    Departure.objects.filter(pk=known.pk).update(status="closed")
    holds_store().set(keys.TIMETABLE, mark)  # as if the process had died after COMMIT
    assert search(client, "AAA", "BBB", known.service_date)["count"] == 1
    monkeypatch.setattr(timetable, "SECONDS_KEPT", -1.0)
    assert search(client, "AAA", "BBB", known.service_date)["count"] == 0


def test_without_postgresql_an_old_memory_serves_until_its_mark_falls(
    client: Client, known: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = known.service_date
    where = {"source": "AAA", "destination": "BBB", "date": day.isoformat()}
    monkeypatch.setattr(timetable, "SECONDS_KEPT", -1.0)
    monkeypatch.setattr(timetable, "termini", _is_away)
    assert search(client, "AAA", "BBB", day)["count"] == 1
    holds_store().set(keys.TIMETABLE, "moved by somebody else")
    assert refused(client, **where).status_code == 503
    timetable.forget_days()
    assert refused(client, **where).status_code == 503
    monkeypatch.undo()
    assert search(client, "AAA", "BBB", day)["count"] == 1


def _is_away(_: Journey) -> None:
    raise OperationalError


def test_what_is_rolled_back_moves_nothing_and_what_is_not_committed_is_not_kept(
    client: Client, known: Departure
) -> None:
    mark = holds_store().get(keys.TIMETABLE)
    with transaction.atomic():
        Departure.objects.filter(pk=known.pk).update(status="closed")
        assert search(client, "AAA", "BBB", known.service_date)["count"] == 0
        transaction.set_rollback(True)
    assert holds_store().get(keys.TIMETABLE) == mark
    assert search(client, "AAA", "BBB", known.service_date)["count"] == 1


def test_many_changes_of_one_transaction_move_the_mark_once(
    known: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved: list[None] = []
    monkeypatch.setattr(timetable_mark, "move_mark", lambda: moved.append(None))
    with transaction.atomic():
        for name in ("One", "Two"):
            Station.objects.filter(code="AAA").update(name=name)
        Train.objects.filter(pk=known.train_id).update(name="Owl")
    assert len(moved) == 1


def test_a_sale_begins_and_ends_without_anything_being_read(
    client: Client, known: Departure, time_passes: Time, django_assert_num_queries: Counted
) -> None:
    opens_at = clock.now() + timedelta(seconds=100)
    Departure.objects.filter(pk=known.pk).update(sale_opens_at=opens_at)
    assert search(client, "AAA", "BBB", known.service_date)["count"] == 0
    with time_passes(101):
        assert search(client, "AAA", "BBB", known.service_date)["count"] == 1
    with time_passes(7 * 86_400), django_assert_num_queries(0):
        answer = refused(client, source="AAA", destination="BBB", date=str(known.service_date))
    assert answer.json()["detail"] == f"{known.service_date} is over."


def test_pages_and_classes_are_those_of_the_statement(
    client: Client, known: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(3):
        railway.departure(railway.train(f"3000{n}"))
    day = known.service_date
    asked: list[dict[str, Any]] = [
        {"limit": 2, "offset": 1},
        {"limit": 2, "offset": 3},
        {"limit": 2, "offset": 9},
        {"travel_class": "SL"},
        {"travel_class": "1A"},
    ]
    kept = [search(client, "AAA", "BBB", day, **each) for each in asked]
    monkeypatch.setattr(timetable, "ROWS_MAX", 1)
    timetable.forget_days()
    assert [search(client, "AAA", "BBB", day, **each) for each in asked] == kept
    assert kept[0]["count"] == 4
    assert [len(page["results"]) for page in kept] == [2, 1, 0, 4, 0]


@pytest.mark.parametrize("travel_class", [None, "CC"])
@pytest.mark.parametrize("seats", [1, 16])
def test_rows_are_rendered_as_they_are_described(
    known: Departure, travel_class: str | None, seats: int
) -> None:
    journey = Journey(source="AAA", destination="CCC", day=known.service_date)
    found, free = timetable.search(journey, limit=20, offset=0)
    told = describe_found(found, free, travel_class=travel_class, seats=seats)
    rendered = render_found(found, free, travel_class=travel_class, seats=seats)
    encode = msgspec.json.Encoder(decimal_format="string").encode
    assert [bytes(row) for row in rendered] == [encode(row) for row in told]
    assert told


@pytest.mark.parametrize(
    ("sql", "changes"),
    [
        ('INSERT INTO "trains_station" ("code") VALUES (%s)', True),
        ("UPDATE trains_departure d SET revision = 1", True),
        ("WITH made AS (SELECT 1) UPDATE ONLY trains_train SET name = ''", True),
        ('DELETE FROM "trains_stop" WHERE true', True),
        ('TRUNCATE "users_user", "trains_stop"', True),
        ("SELECT id FROM trains_departure ORDER BY id FOR NO KEY UPDATE", False),
        ('SELECT 1 FROM "trains_train" FOR UPDATE OF "trains_train"', False),
        ("UPDATE reservations_booking SET fare = 1 FROM trains_departure", False),
    ],
)
def test_statements_that_change_the_timetable(sql: str, changes: bool) -> None:
    assert timetable_mark.changes_timetable(sql) is changes

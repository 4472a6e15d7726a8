"""A departure's plan: read in a fixed number of queries, then from memory."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from config.errors import Invalid, NotFound
from reservations.availability import plan_rows, plans
from reservations.availability.memory import BoundedMemory
from reservations.availability.plans import Stretch
from tests.availability import railway
from trains.models import Coach, Stop
from trains.sale import SaleState

Counted = Callable[[int], Any]
pytestmark = pytest.mark.django_db


def test_a_plan_knows_stops_coaches_and_seats() -> None:
    train = railway.train()
    departure = railway.departure(train)
    plan = plans.plan_of(departure.id)
    assert [stop.code for stop in plan.train.stops] == ["AAA", "BBB", "CCC", "DDD"]
    assert (plan.train.legs, plan.train.words, plan.train.places) == (3, 1, 16)
    assert plan.train.labels[0] == "S1-1"
    assert plan.train.ordinal_of["C1-8"] == 15
    assert plan.train.classes["CC"].tolist() == list(range(8, 16))
    assert plan.train.positions[:2] == ("lower", "upper")
    assert plan.train.coaches[1].unit == "row"
    assert plan.train.coaches[1].places[3] == (4.0, 0.0, 0)
    rows = train.seats.order_by("ordinal").values_list("id", flat=True)
    assert plan.train.seat_ids.tolist() == list(rows)
    assert plan.fares is not None
    assert plan.revision == f"{train.revision}.{departure.revision}.{plan.fares.id}-1"


def test_a_plan_in_memory_needs_no_sql(django_assert_num_queries: Counted) -> None:
    departure = railway.departure(railway.train())
    plans.plan_of(departure.id)
    with django_assert_num_queries(0):
        plans.plan_of(departure.id)


def test_any_number_of_departures_takes_five_queries(django_assert_num_queries: Counted) -> None:
    ids = [railway.departure(railway.train(f"1010{n}"), days_ahead=n).id for n in range(5)]
    with django_assert_num_queries(5):
        found = plans.plans_of([*ids, 10**9])
    assert list(found) == ids


def test_a_departure_that_does_not_exist_is_not_found() -> None:
    with pytest.raises(NotFound):
        plans.plan_of(10**15)


def test_a_train_that_grew_is_seen_once_its_departure_is_forgotten() -> None:
    train = railway.train()
    departure = railway.departure(train)
    before = plans.plan_of(departure.id)
    Coach.objects.create(train=train, label="S2", travel_class="SL", capacity=4, order=9)
    assert plans.plan_of(departure.id).train is before.train
    plans.forget(departure.id)
    after = plans.plan_of(departure.id)
    assert after.revision != before.revision
    assert after.train.labels[-4:] == ("S2-1", "S2-2", "S2-3", "S2-4")
    assert after.train.labels[:16] == before.train.labels
    assert after.train.classes["SL"].tolist() == [*range(8), 16, 17, 18, 19]


def test_a_train_newer_than_its_departure_row_is_read_once(
    django_assert_num_queries: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = railway.train()
    departure = railway.departure(train)
    real = plan_rows.read_trains

    def the_train_grows_in_between(trains: Any) -> Any:
        Coach.objects.create(train=train, label="S2", travel_class="SL", capacity=4, order=9)
        return real(trains)

    monkeypatch.setattr(plans, "read_trains", the_train_grows_in_between)
    assert plans.plan_of(departure.id).train.places == 20
    with django_assert_num_queries(0):
        assert plans.plan_of(departure.id).train.places == 20


def test_read_again_keeps_the_order_asked() -> None:
    """Not that of PostgreSQL, which is another when rows were written again: what is asked of
    Redis after it would then differ from one run of a simulated seed to the next.
    """
    train = railway.train()
    runs = [railway.departure(train, days_ahead=day).pk for day in (2, 3, 4)]
    for order in (runs, runs[::-1], [runs[1], runs[2], runs[0]]):
        assert list(plans.read_again(order)) == order


def test_read_again_shows_what_staff_changed() -> None:
    departure = railway.departure(railway.train())
    plans.plan_of(departure.id)
    departure.status = "closed"
    departure.save()
    assert plans.plan_of(departure.id).status == "open"
    assert plans.read_again([departure.id])[departure.id].status == "closed"
    assert plans.plan_of(departure.id).status == "closed"


def test_an_ordinal_without_a_seat_leaves_a_gap_and_moves_nobody() -> None:
    train = railway.train()
    train.seats.filter(ordinal=3).delete()
    plan = plans.plan_of(railway.departure(train).id).train
    assert plan.places == 16
    assert plan.seat_count == 15
    assert plan.labels[3] == ""
    assert plan.seat_ids[3] == -1
    assert plan.class_of[3] == -1
    assert 3 not in plan.classes["SL"]
    assert plan.ordinal_of["C1-8"] == 15


def test_a_train_without_seats_has_a_plan() -> None:
    plan = plans.plan_of(railway.departure(railway.train(coaches=())).id).train
    assert plan.places == 0
    assert plan.seat_ids.dtype == np.int64
    assert plan.classes == {}


class TestStretch:
    def test_any_two_stops_in_order_are_a_stretch(self) -> None:
        plan = plans.plan_of(railway.departure(railway.train()).id)
        assert plan.stretch("BBB", "DDD") == Stretch(1, 3)
        assert plan.stretch("bbb", "Ddd") == Stretch(1, 3)
        assert plan.distance_km(Stretch(1, 3)) == 120

    @pytest.mark.parametrize(
        ("source", "destination", "fields"),
        [
            ("XXX", "BBB", {"source"}),
            ("AAA", "XXX", {"destination"}),
            ("XXX", "YYY", {"source", "destination"}),
            ("BBB", "AAA", {"destination"}),
            ("AAA", "AAA", {"destination"}),
            ("", "\x00", {"source", "destination"}),
        ],
    )
    def test_what_is_no_stretch_is_refused_by_field(
        self, source: str, destination: str, fields: set[str]
    ) -> None:
        plan = plans.plan_of(railway.departure(railway.train()).id)
        with pytest.raises(Invalid) as refused:
            plan.stretch(source, destination)
        assert set(refused.value.data["errors"]) == fields

    def test_nobody_boards_where_boarding_is_forbidden(self) -> None:
        train = railway.train()
        Stop.objects.filter(train=train, sequence=1).update(pickup=False)
        Stop.objects.filter(train=train, sequence=2).update(drop_off=False)
        plan = plans.plan_of(railway.departure(train).id)
        assert plan.stretch("AAA", "BBB") == Stretch(0, 1)
        with pytest.raises(Invalid) as boarding:
            plan.stretch("BBB", "DDD")
        assert set(boarding.value.data["errors"]) == {"source"}
        with pytest.raises(Invalid) as leaving:
            plan.stretch("AAA", "CCC")
        assert set(leaving.value.data["errors"]) == {"destination"}

    def test_of_a_station_visited_twice_the_shortest_stretch_is_taken(self) -> None:
        train = railway.train(stops=("AAA", "BBB", "AAA", "CCC", "BBB"))
        plan = plans.plan_of(railway.departure(train).id)
        assert plan.stretch("AAA", "BBB") == Stretch(0, 1)
        assert plan.stretch("AAA", "CCC") == Stretch(2, 3)
        assert plan.stretch("BBB", "AAA") == Stretch(1, 2)
        assert plan.stretch("CCC", "BBB") == Stretch(3, 4)


class TestSale:
    def test_a_stretch_is_on_sale_until_the_train_leaves_its_boarding_stop(self) -> None:
        departure = railway.departure(railway.train())
        plan = plans.plan_of(departure.id)
        first, last = Stretch(0, 1), Stretch(2, 3)
        late = plan.boards_at(last)
        assert late == departure.starts_at + timedelta(hours=10)
        assert plan.alights_at(Stretch(1, 2)) == late - timedelta(minutes=2)
        second = timedelta(seconds=1)
        assert plan.sale_state(last, late - second) is SaleState.OPEN
        assert plan.sale_state(last, late) is SaleState.LEFT
        assert plan.sale_state(first, late - second) is SaleState.LEFT

    def test_a_sale_that_has_not_opened_and_one_that_was_closed(self) -> None:
        departure = railway.departure(railway.train())
        plan = plans.plan_of(departure.id)
        opens = departure.sale_opens_at
        assert plan.sale_state(Stretch(0, 1), opens - timedelta(seconds=1)) is (
            SaleState.NOT_YET_OPEN
        )
        departure.status = "closed"
        departure.save()
        plan = plans.read_again([departure.id])[departure.id]
        assert plan.sale_state(Stretch(0, 1), opens) is SaleState.CLOSED

    def test_the_fare_is_by_class_and_distance_and_factor(self) -> None:
        departure = railway.departure(railway.train(), fare_factor=Decimal("1.5"))
        plan = plans.plan_of(departure.id)
        one, two = plan.fare(Stretch(0, 1), "SL"), plan.fare(Stretch(0, 2), "SL")
        assert one == Decimal("141.30")  # (40.00 + 60 * 0.57 + 20.00) * 1.5
        assert two > one
        assert plan.fare(Stretch(0, 1), "CC") != one


def test_a_full_memory_drops_what_was_used_longest_ago() -> None:
    memory: BoundedMemory[str, int] = BoundedMemory(2)
    memory.put("a", 1)
    memory.put("b", 2)
    assert memory.get("a") == 1
    memory.put("c", 3)
    assert (memory.get("a"), memory.get("b"), memory.get("c")) == (1, None, 3)
    assert len(memory) == 2

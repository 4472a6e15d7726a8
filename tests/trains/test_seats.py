"""A coach has its seats, each for ever at its place."""

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from tests.trains.conftest import MakeTrain
from tests.trains.rivals import Rival, after_statement
from trains.models import Coach, Seat, Train, VehicleTemplate
from trains.services import generate_seats as seats
from trains.services.generate_seats import generate_seats
from trains.services.load_templates import load_templates


def _coach(train: Train, label: str, capacity: int, order: int = 0) -> Coach:
    return Coach(train=train, label=label, travel_class="SL", capacity=capacity, order=order)


def _ordinals(train: Train) -> dict[str, int]:
    rows = Seat.objects.filter(train=train).select_related("coach")
    return {f"{seat.coach.label}-{seat.number}": seat.ordinal for seat in rows}


def test_saving_a_coach_makes_its_seats(make_train: MakeTrain) -> None:
    train = make_train()
    Coach.objects.create(train=train, label="S1", travel_class="SL", capacity=3, order=0)
    assert _ordinals(train) == {"S1-1": 0, "S1-2": 1, "S1-3": 2}


def test_saving_it_again_makes_none_and_keeps_the_revision(make_train: MakeTrain) -> None:
    train = make_train()
    coach = _coach(train, "S1", 3)
    coach.save()
    train.refresh_from_db()
    before = train.revision
    coach.save()
    train.refresh_from_db()
    assert (Seat.objects.count(), train.revision) == (3, before)


def test_new_seats_are_appended_and_no_ordinal_moves(make_train: MakeTrain) -> None:
    train = make_train()
    first, second = _coach(train, "S1", 2, 0), _coach(train, "S2", 2, 1)
    first.save()
    second.save()
    before = _ordinals(train)
    first.capacity = 4
    first.save()
    after = _ordinals(train)
    assert {name: after[name] for name in before} == before
    assert {after["S1-3"], after["S1-4"]} == {4, 5}


def test_a_bulk_insert_is_followed_by_one_call(make_train: MakeTrain) -> None:
    trains = [make_train("100"), make_train("200")]
    coaches = [_coach(train, f"S{n}", 5, n) for train in trains for n in (1, 2)]
    Coach.objects.bulk_create(coaches)
    assert Seat.objects.count() == 0
    assert generate_seats(coach_ids=[coach.pk for coach in coaches]) == 20
    assert generate_seats(coach_ids=[coach.pk for coach in coaches]) == 0
    for train in trains:
        assert sorted(_ordinals(train).values()) == list(range(10))


def test_a_seat_that_went_missing_comes_back_at_a_new_place(make_train: MakeTrain) -> None:
    """Its old ordinal may live on in a seat image as another seat's neighbour: it is not reused."""
    train = make_train(seats=3)
    coach = train.coaches.get()
    Seat.objects.get(coach=coach, number=2).delete()
    assert generate_seats(coach_ids=[coach.pk]) == 1
    assert _ordinals(train) == {"S1-1": 0, "S1-3": 2, "S1-2": 3}


def test_positions_come_from_the_unit_of_the_template(make_train: MakeTrain) -> None:
    load_templates()
    train = make_train()
    sleeper = VehicleTemplate.objects.get(code="SL-72")
    coach = _coach(train, "S1", 10)
    coach.template = sleeper
    coach.save()
    positions = Seat.objects.filter(coach=coach).order_by("number")
    assert list(positions.values_list("position", flat=True)) == [
        *("lower", "middle", "upper", "lower", "middle", "upper", "side-lower", "side-upper"),
        *("lower", "middle"),
    ]


def test_a_large_coach_costs_no_more_queries_than_a_small_one(make_train: MakeTrain) -> None:
    counts = []
    for number, capacity in (("100", 5), ("200", 1500)):
        coach = _coach(make_train(number), "S1", capacity)
        Coach.objects.bulk_create([coach])
        with CaptureQueriesContext(connection) as queries:
            generate_seats(coach_ids=[coach.pk])
        counts.append(len(queries))
    assert counts[0] == counts[1]


def _race(coach: Coach) -> Rival:
    """A rival that makes the same seats, started when ours are inserted but not committed."""
    rival = Rival(act=lambda: generate_seats(coach_ids=[coach.pk]))

    def let_the_rival_come() -> None:
        rival.start()
        rival.wait_until_blocked()

    with after_statement("INSERT INTO trains_seat", let_the_rival_come):
        assert generate_seats(coach_ids=[coach.pk]) == 6
    rival.finish()
    return rival


@pytest.mark.django_db(transaction=True)
def test_two_at_once_make_each_seat_once(make_train: MakeTrain) -> None:
    coach = _coach(make_train(), "S1", 6)
    Coach.objects.bulk_create([coach])
    assert _race(coach).outcome == 0
    assert Seat.objects.count() == 6


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_the_second_of_two_fails(
    make_train: MakeTrain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: what the lock of the train is for."""
    monkeypatch.setattr(seats, "_LOCK_TRAINS", seats._LOCK_TRAINS.replace("FOR NO KEY UPDATE", ""))
    coach = _coach(make_train(), "S1", 6)
    Coach.objects.bulk_create([coach])
    assert isinstance(_race(coach).outcome, IntegrityError)

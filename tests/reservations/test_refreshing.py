"""Rule 7, where the loop of `refresh_image` is what keeps it."""

from collections.abc import Callable
from typing import Any

import pytest

from config.errors import StoreUnavailable
from config.stores.redis import holds_store
from reservations.availability.taken_rows import read_taken
from reservations.holds import ids, store
from reservations.services import refresh_image
from reservations.services.refresh_image import load_image, refresh_seats
from tests.availability import railway
from tests.engine import Traveller
from tests.promises.test_p2_holds_exclude import lock
from tests.reservations.test_hold_seats import wish
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)


def sold_in_no_row(traveller: Traveller, departure: Departure, seat: str) -> int:
    """Sold bits that PostgreSQL knows nothing of; the seat's id."""
    hold = traveller.post("reservations/lock/", wish(departure, seat)).json()["hold"]
    assert store.settle(ids.read(hold))
    coach, _, number = seat.partition("-")
    return int(departure.train.seats.get(coach__label=coach, number=number).pk)


def test_rule_7_with_another_epoch_it_begins_again(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two at once, one has rows that are older than what it judges.

    refresh of seat 1   a ..... b ................. c: another epoch; a, b, c
    refresh of seat 2               a, b, c
    """
    first, second = (sold_in_no_row(anna, departure, seat) for seat in ("S1-1", "S1-2"))
    real: Callable[..., Any] = read_taken
    rivals = iter([second])

    def read(*args: Any) -> Any:
        rows = real(*args)
        for seat in rivals:
            refresh_seats(departure=departure.pk, seat_ids=[seat])
        return rows

    monkeypatch.setattr(refresh_image, "read_taken", read)
    refresh_seats(departure=departure.pk, seat_ids=[first])
    assert [lock(anna, departure, seat) for seat in ("S1-1", "S1-2")] == [201, 201]


def test_a_refresh_of_some_seats_judges_no_other(anna: Traveller, departure: Departure) -> None:
    """Its SELECT is of those alone: of another seat it has no row and knows nothing."""
    first, _ = (sold_in_no_row(anna, departure, seat) for seat in ("S1-1", "S1-2"))
    (before,) = store.read_images([departure.pk])
    refresh_seats(departure=departure.pk, seat_ids=[first])
    (after,) = store.read_images([departure.pk])
    assert any(before.sold[:4])
    assert after.sold == bytes(4) + before.sold[4:]


def test_rule_7_without_an_image_a_refresh_writes_nothing(
    anna: Traveller, departure: Departure
) -> None:
    seat = sold_in_no_row(anna, departure, "S1-1")
    holds_store().flushall()
    refresh_seats(departure=departure.pk, seat_ids=[seat])
    (image,) = store.read_images([departure.pk])
    assert not image.loaded


def test_rule_7_an_image_that_keeps_changing_is_given_up(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock(anna, departure, "S1-1")
    real: Callable[..., Any] = read_taken

    def read(*args: Any) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(refresh_image, "read_taken", real)
            refresh_seats(departure=departure.pk, seat_ids=[])
        return real(*args)

    monkeypatch.setattr(refresh_image, "read_taken", read)
    with pytest.raises(StoreUnavailable):
        refresh_seats(departure=departure.pk, seat_ids=[])


def test_a_load_that_finds_the_image_loaded_reads_no_rows(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock(anna, departure, "S1-1")

    def read(*_: Any) -> Any:
        raise AssertionError("the image is there")

    monkeypatch.setattr(refresh_image, "read_taken", read)
    load_image(departure=departure.pk)


def two_departures(departure: Departure) -> tuple[Departure, Departure]:
    return departure, railway.departure(departure.train, days_ahead=5)


def test_rule_7_of_many_departures_only_the_one_that_moved_begins_again(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    still, moved = two_departures(departure)
    wrong = {each.pk: [sold_in_no_row(anna, each, "S1-1")] for each in (still, moved)}
    other = sold_in_no_row(anna, moved, "S1-2")
    real: Callable[..., Any] = read_taken
    looks: list[list[int]] = []

    def read(plans: Any, *rest: Any) -> Any:
        rows = real(plans, *rest)
        looks.append(list(plans))
        if len(looks) == 1:
            refresh_seats(departure=moved.pk, seat_ids=[other])
        return rows

    monkeypatch.setattr(refresh_image, "read_taken", read)
    refresh_image.refresh_seats_of(wrong)
    assert looks == [[still.pk, moved.pk], [moved.pk], [moved.pk]]
    images = store.read_images([still.pk, moved.pk])
    assert not any(any(image.sold) for image in images)


def test_of_each_departure_its_own_seats_are_judged(anna: Traveller, departure: Departure) -> None:
    """They are of one train, so that the same seats have the same ids."""
    one, two = two_departures(departure)
    first = sold_in_no_row(anna, one, "S1-1")
    second = sold_in_no_row(anna, one, "S1-2")
    for seat in ("S1-1", "S1-2"):
        sold_in_no_row(anna, two, seat)
    refresh_image.refresh_seats_of({one.pk: [first], two.pk: [second]})
    words = [list(image.sold[:8]) for image in store.read_images([one.pk, two.pk])]
    assert [[any(each[:4]), any(each[4:])] for each in words] == [[False, True], [True, False]]


def test_any_number_of_departures_takes_two_round_trips(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [departure, *(railway.departure(departure.train, days_ahead=day) for day in (5, 6, 7))]
    wrong = {run.pk: [sold_in_no_row(anna, run, "S1-1")] for run in runs}
    refresh_image.refresh_seats_of(wrong)  # Redis knows the scripts from now on
    asked: list[int] = []
    real = holds_store().ask

    def ask(commands: Any, *rest: Any) -> Any:
        asked.append(len(commands))
        return real(commands, *rest)

    monkeypatch.setattr(holds_store(), "ask", ask)
    refresh_image.refresh_seats_of(wrong)
    assert asked == [4, 4]


def test_of_no_departure_there_is_nothing_to_refresh() -> None:
    refresh_image.refresh_seats_of({})
    refresh_image.refresh_seats_of({2**40: [1]})

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

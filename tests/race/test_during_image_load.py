"""Rivals of a process that is loading the image of a departure (rules 7 and 8).

load    a: epoch, words ....... b: rows ....... c: bits, holds, loaded
"""

from functools import partial

import pytest

from config.stores.redis import holds_store
from tests.race.fixtures import Race
from tests.race.invariants import check
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)


def forget_image(departure: Departure) -> None:
    """As after a loss of these keys alone: the holds are still there."""
    names = [f"{{{departure.pk % 64}}}:{what}:{departure.pk}" for what in ("image", "held", "sold")]
    holds_store().delete(*names)


def locked_while_loading(race: Race, departure: Departure, *, without: str = "") -> tuple[int, int]:
    """A second process finds no image either, loads it, and sells before the first goes on.

    first     a ..... b (no rows) ................................ c, lock
    second                            load, lock, confirm
    """
    first, second, third = race.riders(3)
    slow = race.start(
        first.lock, departure, "S1-1", stop="refresh_end.before", without=without
    ).reached()
    second.hold(departure, "S1-2")
    second.book(departure, "S1-1")
    return slow.go().result().status, third.lock(departure, "S1-2").status


def test_a_slow_load_changes_nothing_that_a_faster_one_and_its_locks_have_made(
    race: Race, departure: Departure
) -> None:
    assert locked_while_loading(race, departure) == (409, 409)
    check(departure, holds=1)


def held_before_the_loss(race: Race, departure: Departure, *, without: str = "") -> tuple[int, int]:
    """The image is lost, the holds are not; while it is loaded anew one of them ends.

    loader    a ..... b ................... c, lock
    owner                    release
    """
    owner, loader = race.riders(2)
    kept, ended = (owner.hold(departure, seat) for seat in ("S1-1", "S1-2"))
    forget_image(departure)
    slow = race.start(
        loader.lock, departure, "S1-1", stop="refresh_end.before", without=without
    ).reached()
    assert owner.release(ended).status == 204
    status = slow.go().result().status
    assert owner.holds() == [kept]
    return status, loader.lock(departure, "S1-2").status


def test_a_loaded_image_has_the_holds_that_are_left_and_no_other(
    race: Race, departure: Departure
) -> None:
    assert held_before_the_loss(race, departure) == (409, 201)
    check(departure, holds=2)


def test_without_the_members_a_held_seat_is_given_away(race: Race, departure: Departure) -> None:
    assert held_before_the_loss(race, departure, without="members-rebuilt") == (201, 201)


def confirmed_while_loading(race: Race, departure: Departure, *, without: str = "") -> int:
    """A confirm commits after the rows were read, and settles before the load ends.

    loader    a ..... b (no row) ........................... c
    owner                           COMMIT, settle
    """
    owner, loader = race.riders(2)
    hold = owner.hold(departure, "S1-1")
    forget_image(departure)
    slow = race.start(
        loader.lock, departure, "S1-2", stop="refresh_end.before", without=without
    ).reached()
    with race.without(*without.split()):
        assert owner.confirm(hold).status == 201
    assert slow.go().result().status == 201
    return loader.lock(departure, "S1-1").status


def test_a_seat_sold_while_the_image_is_loaded_is_sold_in_it(
    race: Race, departure: Departure
) -> None:
    assert confirmed_while_loading(race, departure) == 409
    check(departure, holds=1)


def test_without_the_bits_that_settle_leaves_it_is_shown_as_free(
    race: Race, departure: Departure
) -> None:
    assert confirmed_while_loading(race, departure, without="settle") == 201
    with pytest.raises(AssertionError, match="sold bits are not the rows"):
        check(departure)


def cancelled_while_loading(race: Race, departure: Departure, *, without: str = "") -> int:
    """The load has read a booking that is cancelled, and refreshed, before the load ends.

    loader    a ..... b (sold) .......................... c
    owner                          cancel, refresh
    """
    owner, loader = race.riders(2)
    pnr = owner.book(departure, "S1-1")
    forget_image(departure)
    slow = race.start(
        loader.lock, departure, "S1-2", stop="refresh_end.before", without=without
    ).reached()
    assert owner.cancel(pnr).status == 200
    assert slow.go().result().status == 201
    return loader.lock(departure, "S1-1").status


def test_a_seat_cancelled_while_the_image_is_loaded_is_free_in_it(
    race: Race, departure: Departure
) -> None:
    assert cancelled_while_loading(race, departure) == 201
    check(departure, holds=2)


def test_without_the_epoch_the_cancelled_seat_is_lost_to_everybody(
    race: Race, departure: Departure
) -> None:
    assert cancelled_while_loading(race, departure, without="epoch") == 409
    with pytest.raises(AssertionError, match="sold bits are not the rows"):
        check(departure)


def test_many_first_locks_at_once_load_one_image(race: Race, departure: Departure) -> None:
    riders = race.riders(8)
    calls = [partial(rider.lock, departure, f"S1-{n + 1}") for n, rider in enumerate(riders)]
    replies = race.all_at_once(calls)
    assert [reply.status for reply in replies] == [201] * 8
    check(departure, holds=8)

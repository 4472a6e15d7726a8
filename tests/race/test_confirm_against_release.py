"""Confirm against release: whoever comes first to the script, the other is told so."""

import pytest

from tests.race.fixtures import Race
from tests.race.invariants import check
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)


def released_while_confirming(
    race: Race, departure: Departure, *, without: str = ""
) -> tuple[int, int, int]:
    """The owner's release comes between pin and INSERT; then a rival asks for the seat.

    owner    pin ........................... INSERT
    owner           release
    rival                      lock
    """
    owner, rival = race.riders(2)
    hold = owner.hold(departure, "S1-1")
    slow = race.start(owner.confirm, hold, stop="insert.before").reached()
    with race.without(*without.split()):
        released = owner.release(hold)
    locked = rival.lock(departure, "S1-1").status
    return released.status, locked, slow.go().result().status


def test_a_hold_is_not_released_while_its_confirm_runs(race: Race, departure: Departure) -> None:
    assert released_while_confirming(race, departure) == (409, 409, 201)
    check(departure, holds=0)


def test_if_it_were_released_the_confirm_would_be_too_late(
    race: Race, departure: Departure
) -> None:
    """The release buries the hold in PostgreSQL as well: the owner loses it, nobody else."""
    done = released_while_confirming(race, departure, without="release-pinned")
    assert done == (204, 201, 410)
    check(departure, holds=1)


def test_if_it_were_released_and_not_buried_it_would_be_booked_under_a_rivals_hold(
    race: Race, departure: Departure
) -> None:
    done = released_while_confirming(race, departure, without="release-pinned asks-by-writing")
    assert done == (204, 201, 201)
    with pytest.raises(AssertionError, match="held and sold"):
        check(departure)


def test_a_hold_released_before_its_pin_is_not_booked(race: Race, departure: Departure) -> None:
    owner, rival = race.riders(2)
    hold = owner.hold(departure, "S1-1")
    late = race.start(owner.confirm, hold, stop="pin.before").reached()
    assert owner.release(hold).status == 204
    assert rival.lock(departure, "S1-1").status == 201
    assert late.go().result().status == 410
    check(departure, holds=1)


def strangers_turn(race: Race, departure: Departure, *, without: str = "") -> list[int]:
    """A stranger who got hold of a hold id releases, extends and confirms it."""
    owner, stranger = race.riders(2)
    first, second = (owner.hold(departure, seat) for seat in ("S1-1", "S1-2"))
    with race.without(*without.split()):
        return [
            stranger.release(first).status,
            stranger.extend(second).status,
            stranger.confirm(second).status,
        ]


def test_a_hold_is_moved_by_its_owner_only(race: Race, departure: Departure) -> None:
    assert strangers_turn(race, departure) == [404, 404, 404]
    check(departure, holds=2)


def test_without_the_owner_check_a_stranger_moves_it(race: Race, departure: Departure) -> None:
    assert strangers_turn(race, departure, without="owner") == [204, 200, 201]

"""Confirm against the end of its hold: it is in time or it is not, and never both."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from reservations.services.expire_holds import expire_holds
from tests.race.fixtures import Race
from tests.race.invariants import check
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)

Time = Callable[[float], AbstractContextManager[None]]


def confirm_too_late(
    race: Race, departure: Departure, time_passes: Time, *, without: str = ""
) -> int:
    """The hold runs out before its pin."""
    (owner,) = race.riders(1)
    hold = owner.hold(departure, "S1-1")
    late = race.start(owner.confirm, hold, stop="pin.before", without=without).reached()
    with time_passes(181):
        status = late.go().result().status
        if status == 410:
            check(departure, holds=0)
    return status


def test_a_hold_that_ran_out_before_its_pin_is_not_booked(
    race: Race, departure: Departure, time_passes: Time
) -> None:
    assert confirm_too_late(race, departure, time_passes) == 410


def test_without_the_deadline_check_it_is_booked_all_the_same(
    race: Race, departure: Departure, time_passes: Time
) -> None:
    assert confirm_too_late(race, departure, time_passes, without="deadline") == 201


def pinned_across_the_deadline(
    race: Race, departure: Departure, time_passes: Time, *, without: str = ""
) -> tuple[int, int]:
    """The deadline comes while PostgreSQL has not been asked yet.

    owner    pin ..................................... INSERT
    sweep            the deadline has come
    rival                                   lock
    """
    owner, rival = race.riders(2)
    hold = owner.hold(departure, "S1-1")
    with time_passes(170):
        slow = race.start(owner.confirm, hold, stop="insert.before", without=without).reached()
        with time_passes(20):
            expire_holds()
            locked = rival.lock(departure, "S1-1").status
            return slow.go().result().status, locked


def test_a_hold_does_not_end_while_its_confirm_runs(
    race: Race, departure: Departure, time_passes: Time
) -> None:
    assert pinned_across_the_deadline(race, departure, time_passes) == (201, 409)
    check(departure, holds=0)


def test_without_the_time_a_pin_gives_the_hold_ends_under_its_confirm(
    race: Race, departure: Departure, time_passes: Time
) -> None:
    """Safe still, because the sweep asked by writing; but the owner has lost seats it held."""
    done = pinned_across_the_deadline(race, departure, time_passes, without="pin-lasts")
    assert done == (410, 201)
    check(departure, holds=1)


def died_after_the_pin(
    race: Race, departure: Departure, time_passes: Time, *, without: str = ""
) -> tuple[int, int]:
    """A confirm dies early in the life of its hold; the owner tries again in good time."""
    owner, rival = race.riders(2)
    hold = owner.hold(departure, "S1-1")
    dead = race.start(owner.confirm, hold, stop="insert.before", without=without)
    assert dead.fail().result().status == 503
    with time_passes(60):
        expire_holds()
        return rival.lock(departure, "S1-1").status, owner.confirm(hold).status


def test_a_pin_does_not_shorten_its_hold(
    race: Race, departure: Departure, time_passes: Time
) -> None:
    assert died_after_the_pin(race, departure, time_passes) == (409, 201)
    check(departure, holds=0)


def test_if_a_pin_could_go_back_a_confirm_that_died_would_cost_the_hold(
    race: Race, departure: Departure, time_passes: Time
) -> None:
    done = died_after_the_pin(race, departure, time_passes, without="pin-never-back")
    assert done == (201, 410)


def stalled_beyond_its_pin(
    race: Race, departure: Departure, time_passes: Time, *, sweep_without: str = ""
) -> tuple[int, int]:
    """The confirm stalls so long that its pin is over and a rival has the seat.

    owner    pin ............................................ INSERT
    sweep            pin over: writes void, frees
    rival                                          lock
    """
    owner, rival = race.riders(2)
    hold = owner.hold(departure, "S1-1")
    stalled = race.start(owner.confirm, hold, stop="insert.before").reached()
    with time_passes(200):
        assert race.start(expire_holds, without=sweep_without).result().pins == 1
        locked = rival.lock(departure, "S1-1").status
        return stalled.go().result().status, locked


def test_a_confirm_that_was_swept_cannot_commit_any_more(
    race: Race, departure: Departure, time_passes: Time
) -> None:
    assert stalled_beyond_its_pin(race, departure, time_passes) == (410, 201)
    check(departure, holds=1)


def test_a_sweep_that_only_looks_lets_a_booking_commit_under_a_rivals_hold(
    race: Race, departure: Departure, time_passes: Time
) -> None:
    done = stalled_beyond_its_pin(race, departure, time_passes, sweep_without="asks-by-writing")
    assert done == (201, 201)
    with pytest.raises(AssertionError, match="held and sold"):
        check(departure)

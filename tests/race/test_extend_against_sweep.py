"""Extend against the sweep: the score decides, and a script judges and acts at once (rule 3)."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from reservations.services.expire_holds import expire_holds
from tests.race.fixtures import Race
from tests.race.invariants import check
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)

Time = Callable[[float], AbstractContextManager[None]]


def test_a_hold_that_was_swept_is_not_extended(
    race: Race, departure: Departure, time_passes: Time
) -> None:
    """The sweep comes first.

    owner    extend ................................. script
    sweep             the deadline has come: ends it
    rival                                      lock
    """
    owner, rival = race.riders(2)
    hold = owner.hold(departure, "S1-1")
    late = race.start(owner.extend, hold, stop="extend.before").reached()
    with time_passes(181):
        expire_holds()
        assert rival.lock(departure, "S1-1").status == 201
        assert late.go().result().status == 410
        check(departure, holds=1)


def extended_under_a_sweep(
    race: Race, departure: Departure, time_passes: Time, *, without: str = ""
) -> tuple[int, int]:
    """The sweep has found the departure due; before it acts, the owner has more time.

    sweep    due? yes: another hold there is over .................... reap
    owner                                            extend
    """
    owner, other, rival = race.riders(3)
    other.hold(departure, "S1-2")
    with time_passes(100):
        hold = owner.hold(departure, "S1-1")
        with time_passes(90):
            sweep = race.start(expire_holds, stop="reap.before").reached()
            with race.without(*without.split()):
                extended = owner.extend(hold)
            assert extended.status == 200
            assert extended.body["expires_in_seconds"] == 180
            with time_passes(100):
                sweep.go().result()
                return rival.lock(departure, "S1-1").status, owner.confirm(hold).status


def test_a_sweep_does_not_end_what_was_extended_meanwhile(
    race: Race, departure: Departure, time_passes: Time
) -> None:
    assert extended_under_a_sweep(race, departure, time_passes) == (409, 201)
    check(departure, holds=0)


def test_if_extend_did_not_move_the_score_the_hold_would_end_before_its_deadline(
    race: Race, departure: Departure, time_passes: Time
) -> None:
    done = extended_under_a_sweep(race, departure, time_passes, without="extend-moves-score")
    assert done == (201, 410)

"""Two sweeps at once, and a sweep beside those who meet the same pin in a request (rules 1, 6)."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from config.stores.redis import holds_store
from reservations.models import Booking
from reservations.services.expire_holds import expire_holds
from tests.race.fixtures import Race
from tests.race.invariants import check
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)

Time = Callable[[float], AbstractContextManager[None]]


def test_two_sweeps_that_found_the_same_departure_due_end_a_hold_once(
    race: Race, departure: Departure, time_passes: Time
) -> None:
    """A rival locks between their ends.

    sweep 1    due? yes ......... reap
    sweep 2    due? yes ....................... reap
    rival                               lock
    """
    owner, rival = race.riders(2)
    owner.hold(departure, "S1-1")
    with time_passes(181):
        sweeps = [race.start(expire_holds, stop="reap.before").reached() for _ in range(2)]
        sweeps[0].go().result()
        kept = rival.hold(departure, "S1-1")
        sweeps[1].go().result()
        assert rival.holds() == [kept]
        check(departure, holds=1)
        expired = [entry for entry in _facts(departure) if entry == b"hold.expired"]
        assert len(expired) == 1


def _facts(departure: Departure) -> list[bytes]:
    entries: Any = holds_store().xrange(f"{{{departure.pk % 64}}}:audit")
    return [fields[b"kind"] for _, fields in entries]


def pin_ended_twice(
    race: Race, departure: Departure, time_passes: Time, *, without: str = ""
) -> tuple[int, int]:
    """Both sweeps have written `void` for the same pin; a rival locks between their ends.

    sweep 1    void ........ free
    sweep 2         void .................... free (late)
    rival                         lock
    """
    owner, rival, third = race.riders(3)
    hold = owner.hold(departure, "S1-1")
    dead = race.start(owner.confirm, hold, stop="insert.before")
    assert dead.fail().result().status == 503
    _remember_the_pin(departure)
    with time_passes(200):
        sweeps = [
            race.start(expire_holds, stop="free.before", without=text).reached()
            for text in ("", without)
        ]
        sweeps[0].go().result()
        rival.hold(departure, "S1-1")
        sweeps[1].go().result()
        return third.lock(departure, "S1-1").status, Booking.objects.filter(status="void").count()


def _remember_the_pin(departure: Departure) -> None:
    """For a script that acts on what it read before another script ran (`free-finds`)."""
    shard = f"{{{departure.pk % 64}}}"
    member: Any
    (member,) = holds_store().zrange(f"{shard}:confirming:{departure.pk}", 0, -1)
    holds_store().set(f"{shard}:remembered", member)


@pytest.mark.parametrize("without", ["", "free-finds"])
def test_a_pin_that_two_sweeps_end_is_ended_once(
    race: Race, departure: Departure, time_passes: Time, without: str
) -> None:
    assert pin_ended_twice(race, departure, time_passes, without=without) == (409, 1)
    check(departure, holds=1)


def test_without_the_answer_of_zrem_the_second_end_frees_the_rivals_seat(
    race: Race, departure: Departure, time_passes: Time
) -> None:
    done = pin_ended_twice(race, departure, time_passes, without="free-finds zrem")
    assert done == (201, 1)
    with pytest.raises(AssertionError, match="two holds have one seat-leg"):
        check(departure)


def test_a_lock_that_meets_a_pin_while_a_sweep_ends_it_gets_the_seat(
    race: Race, departure: Departure, time_passes: Time
) -> None:
    """Whoever meets the pin ends it.

    sweep    void ............................ free (nothing to do)
    rival           lock: overdue, void, free, lock
    """
    owner, rival = race.riders(2)
    hold = owner.hold(departure, "S1-1")
    dead = race.start(owner.confirm, hold, stop="insert.before")
    assert dead.fail().result().status == 503
    with time_passes(200):
        sweep = race.start(expire_holds, stop="free.before").reached()
        assert rival.lock(departure, "S1-1").status == 201
        sweep.go().result()
        check(departure, holds=1)
        assert owner.confirm(hold).status == 410

"""P5 with `kill -9` of the web process at each point between request and answer.

    request ....... effect ....... answer kept ....... answer
             kill A         kill B              kill C

A: nothing happened, the repeat does it. B, C: the repeat finds what was done, and gives its answer.
No key is blocked by a process that died with it in its hands.
"""

import time
from collections.abc import Callable

import pytest

from reservations.models import Booking
from tests.availability import railway
from tests.race.fixtures import Race
from tests.race.invariants import check
from tests.race.riders import Reply
from trains.models import Departure

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

DEADLINE_SECONDS = 60.0


def answered(call: Callable[[], Reply]) -> Reply:
    """Its answer, from the process that is left or the one that comes back."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (reply := call()).status:
        assert time.monotonic() < deadline, "no answer since the process was killed"
    return reply


def killed(race: Race, call: Callable[[], Reply], *, at: str) -> None:
    running = race.start(call, stop=at)
    running.kill()
    assert running.result().status == 0


@pytest.mark.parametrize("at", ["lock.before", "lock.after", "keep.after"])
def test_p5_a_lock_whose_server_died_is_made_once(
    race: Race, departure: Departure, at: str
) -> None:
    (rider,) = race.riders(1)

    def lock() -> Reply:
        return rider.lock(departure, count=2, travel_class="SL", key="k")

    killed(race, lock, at=at)
    first, again = answered(lock), answered(lock)
    assert (first.status, again.status) == (201, 201)
    assert first.is_replay is (at == "keep.after")
    assert again.is_replay
    assert first.raw == again.raw
    assert rider.holds() == [first.body["hold"]]
    check(departure, holds=1)


def test_p5_a_lock_of_the_last_seats_whose_server_died_is_found(race: Race, db: None) -> None:
    """The repeat sees no free seat: the one who has them is itself."""
    departure = railway.departure(railway.train(stops=("AAA", "EEE"), coaches=(("S1", "SL", 4),)))
    rider, other = race.riders(2)

    def lock() -> Reply:
        return rider.lock(departure, count=4, key="k")

    killed(race, lock, at="lock.after")
    assert answered(lambda: other.lock(departure, count=1)).code == "not-enough-seats"
    reply = answered(lock)
    assert reply.status == 201
    assert rider.holds() == [reply.body["hold"]]


@pytest.mark.parametrize("at", ["insert.before", "insert.after"])
def test_p5_a_confirm_whose_server_died_books_once(
    race: Race, departure: Departure, at: str
) -> None:
    (rider,) = race.riders(1)
    hold = rider.hold(departure, "S1-1", "S1-2")

    def confirm() -> Reply:
        return rider.confirm(hold, key="k")

    killed(race, confirm, at=at)
    first, again = answered(confirm), answered(confirm)
    assert (first.status, again.status) == (201, 201)
    assert first.is_replay is (at == "insert.after")
    assert again.is_replay
    assert first.raw == again.raw
    assert Booking.objects.filter(status="confirmed").count() == 1


@pytest.mark.parametrize("at", ["cancel.before", "refresh_begin.before"])
def test_p5_a_cancel_whose_server_died_cancels_once(
    race: Race, departure: Departure, at: str
) -> None:
    """Before its COMMIT, and between COMMIT and refresh."""
    (rider,) = race.riders(1)
    pnr = rider.book(departure, "S1-1")

    def cancel() -> Reply:
        return rider.cancel(pnr, key="k")

    killed(race, cancel, at=at)
    first = answered(cancel)
    assert first.status == 200
    assert first.is_replay is (at == "refresh_begin.before")
    assert Booking.objects.get().status == "cancelled"


def test_p5_a_repeat_beside_the_first_is_told_that_it_still_runs(
    race: Race, departure: Departure
) -> None:
    (rider,) = race.riders(1)
    pnr = rider.book(departure, "S1-1")
    first = race.start(rider.cancel, pnr, key="k", stop="cancel.before").reached()
    beside = rider.cancel(pnr, key="k")
    assert (beside.status, beside.code) == (409, "idempotency-in-flight")
    done = first.go().result()
    again = rider.cancel(pnr, key="k")
    assert (done.status, again.status) == (200, 200)
    assert not done.is_replay
    assert again.is_replay
    assert again.raw == done.raw


def test_p5_a_lock_or_confirm_beside_the_first_gets_its_answer(
    race: Race, departure: Departure
) -> None:
    """They need not be refused: the second does what the first does, and it is done once."""
    (rider,) = race.riders(1)
    slow = race.start(rider.lock, departure, "S1-1", key="k", stop="lock.after").reached()
    beside = rider.lock(departure, "S1-1", key="k")
    late = slow.go().result()
    assert (beside.status, late.status) == (201, 201)
    assert beside.raw == late.raw
    assert (beside.is_replay, late.is_replay) == (False, True)

    hold = beside.body["hold"]
    slow = race.start(rider.confirm, hold, key="c", stop="insert.before").reached()
    beside = rider.confirm(hold, key="c")
    late = slow.go().result()
    assert (beside.status, late.status) == (201, 201)
    assert beside.raw == late.raw
    assert (beside.is_replay, late.is_replay) == (False, True)
    check(departure, holds=0)


def test_p5_a_twin_that_finds_too_few_seats_does_not_overrule_the_one_that_has_them(
    race: Race, db: None
) -> None:
    """
    First    lock: has all seats ............................ answer
    twin                             rank: none is free
    """
    departure = railway.departure(railway.train(stops=("AAA", "EEE"), coaches=(("S1", "SL", 2),)))
    (rider,) = race.riders(1)
    slow = race.start(rider.lock, departure, count=2, key="k", stop="lock.after").reached()
    assert rider.lock(departure, count=2, key="k").status == 201
    assert slow.go().result().status == 201
    check(departure, holds=1)


def test_p5_the_header_sent_twice_is_refused(race: Race, departure: Departure) -> None:
    (rider,) = race.riders(1)
    line = rider._line()
    line.putrequest("POST", "/api/v1/reservations/lock/")
    line.putheader("Authorization", f"Bearer {rider.access}")
    line.putheader("Content-Type", "application/json")
    for key in ('"a"', '"b"'):
        line.putheader("Idempotency-Key", key)
    body = (
        f'{{"departure": {departure.pk}, "source": "AAA", "destination": "EEE", "count": 1}}'
    ).encode()
    line.putheader("Content-Length", str(len(body)))
    line.endheaders(body)
    answer = line.getresponse()
    assert answer.status == 400, answer.read()
    assert b"Idempotency-Key" in answer.read()
    assert rider.holds() == []

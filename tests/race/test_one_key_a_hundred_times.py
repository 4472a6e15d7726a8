"""A hundred requests with one `Idempotency-Key` at once: one effect, one answer (P5)."""

from collections import Counter
from functools import partial
from typing import Any

import pytest

from reservations.models import Booking
from tests.availability import railway
from tests.race.fixtures import Race
from tests.race.invariants import check
from tests.race.riders import Reply
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)

TIMES = 100


def one_answer(replies: list[Reply]) -> Reply:
    """All are told the same, byte for byte; all but the first are told so."""
    assert {reply.status for reply in replies} == {201}
    assert len({reply.raw for reply in replies}) == 1
    assert sum(not reply.is_replay for reply in replies) == 1
    return replies[0]


@pytest.mark.parametrize("wish", [{"seats": ["S1-1", "S1-2"]}, {"count": 2, "travel_class": "SL"}])
def test_a_hundred_locks_with_one_key_make_one_hold(
    race: Race, departure: Departure, wish: dict[str, Any]
) -> None:
    (rider,) = race.riders(1)
    call = partial(rider.lock, departure, key="once", **wish)
    reply = one_answer(race.all_at_once([call] * TIMES))
    assert rider.holds() == [reply.body["hold"]]
    check(departure, holds=1)


def test_a_hundred_locks_of_the_last_seats_with_one_key_make_one_hold(race: Race, db: None) -> None:
    """The first takes all there is: no twin may be told that there are not enough."""
    departure = railway.departure(railway.train(stops=("AAA", "EEE"), coaches=(("S1", "SL", 4),)))
    (rider,) = race.riders(1)
    reply = one_answer(
        race.all_at_once([partial(rider.lock, departure, key="once", count=4)] * TIMES)
    )
    assert len(reply.body["seats"]) == 4
    check(departure, holds=1)


def test_without_a_key_a_hundred_locks_take_all_they_may(race: Race, departure: Departure) -> None:
    (rider,) = race.riders(1)
    replies = race.all_at_once([partial(rider.lock, departure, count=1)] * TIMES)
    assert Counter((reply.status, reply.code) for reply in replies) == {
        (201, ""): 3,
        (422, "limit-reached"): TIMES - 3,
    }
    check(departure, holds=3)


def test_a_hundred_confirms_with_one_key_make_one_booking(race: Race, departure: Departure) -> None:
    (rider,) = race.riders(1)
    hold = rider.hold(departure, "S1-1", "S1-2")
    one_answer(race.all_at_once([partial(rider.confirm, hold, key="once")] * TIMES))
    assert Booking.objects.count() == 1
    check(departure, holds=0)


def test_a_hundred_cancels_with_one_key_are_all_told_that_it_is_cancelled(
    race: Race, departure: Departure
) -> None:
    """The draft lets a server refuse a twin that runs beside the first; most wait for it."""
    (rider,) = race.riders(1)
    pnr = rider.book(departure, "S1-1")
    replies = race.all_at_once([partial(rider.cancel, pnr, key="once")] * TIMES)
    answers = {(reply.status, reply.code) for reply in replies}
    assert answers <= {(200, ""), (409, "idempotency-in-flight")}
    done = [reply for reply in replies if reply.status == 200]
    assert len({reply.raw for reply in done}) == 1
    assert sum(not reply.is_replay for reply in done) == 1
    check(departure, holds=0)


def test_a_key_for_each_request_is_a_key_for_none(race: Race, departure: Departure) -> None:
    (rider,) = race.riders(1)
    calls = [partial(rider.lock, departure, count=1, key=f"k{n}") for n in range(10)]
    replies = race.all_at_once(calls)
    assert Counter(reply.status for reply in replies) == {201: 3, 422: 7}
    check(departure, holds=3)


def test_two_users_may_send_the_same_key(race: Race, departure: Departure) -> None:
    riders = race.riders(2)
    replies = race.all_at_once(
        [partial(rider.lock, departure, count=1, key="1") for rider in riders]
    )
    assert [reply.status for reply in replies] == [201, 201]
    assert not any(reply.is_replay for reply in replies)
    assert replies[0].body["hold"] != replies[1].body["hold"]
    check(departure, holds=2)

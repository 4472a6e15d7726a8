"""P10: losing all of Redis loses no booking and sells nothing twice.

(That losing MongoDB or Celery is not noticed by a traveller is in tests/analytics/test_mongodb_away
and in P7: no test of the engine runs a worker.)
"""

import random
from typing import Any

import pytest
import redis
from django.db.models import Count

from config.outbox.consumers import consume_pending
from config.stores.redis import holds_store
from reservations.holds import store
from reservations.models import BookedSeat, Booking
from reservations.services.expire_holds import expire_holds
from reservations.services.reconcile_images import notice_restart
from tests.engine import Traveller
from tests.promises.guards import table_without
from tests.reservations.test_hold_seats import wish
from tests.surviving.steps import confirm, lock
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)

SEATS = [f"{coach}-{number}" for coach in ("S1", "C1") for number in range(1, 9)]


def test_p10_losing_all_of_redis_loses_no_booking_and_sells_nothing_twice(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    """Two travellers sell out a train while Redis forgets everything again and again."""
    chance = random.Random(10)
    told: dict[str, str] = {}  # seat -> PNR, as the client was told
    held: list[tuple[Traveller, dict[str, Any]]] = []
    for step in range(120):
        if step % 9 == 8:
            holds_store().flushall()
        who, seat = chance.choice([anna, bela]), chance.choice(SEATS)
        answer = who.post("reservations/lock/", wish(departure, seat))
        assert answer.status_code in {201, 409, 422}, answer.content
        if answer.status_code == 201:
            assert seat not in told, "a sold seat was given"
            held.append((who, answer.json()))
        if held and chance.random() < 0.7:
            owner, hold = held.pop(chance.randrange(len(held)))
            said = confirm(owner, hold)
            assert said.status_code in {201, 409, 410}, said.content
            if said.status_code == 201:
                (booked,) = said.json()["seats"]
                assert booked not in told, "a seat was sold twice"
                told[booked] = said.json()["pnr"]
    assert len(told) > 8

    holds_store().flushall()
    assert all(each["status"] == "confirmed" for each in bookings(anna) + bookings(bela))
    assert {each["pnr"] for each in bookings(anna) + bookings(bela)} == set(told.values())
    doubled = BookedSeat.objects.filter(live=True).values("seat").annotate(n=Count("id"))
    assert not doubled.filter(n__gt=1).exists()
    assert Booking.objects.filter(status="confirmed").count() == len(told)
    consume_pending()
    notice_restart()
    expire_holds()
    seats = anna.get(f"departures/{departure.pk}/seats/").json()["seats"]
    assert {seat["seat"] for seat in seats if seat["status"] == "sold"} == set(told)


def bookings(traveller: Traveller) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = traveller.get("reservations/bookings/", limit=100).json()[
        "results"
    ]
    return found


def test_p10_without_the_constraint_a_seat_held_before_and_after_is_sold_twice(
    anna: Traveller, bela: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bad thing P1 prevents when Redis forgot: Anna confirms past it, Bela by a new hold."""
    hold = lock(anna, departure, "S1-1")
    holds_store().flushall()
    rival = lock(bela, departure, "S1-1")

    def unheard(*arguments: Any) -> Any:
        raise redis.TimeoutError("Redis is away for Anna")

    with table_without("seat_sold_once_per_leg", "reservations_bookedseat"):
        with monkeypatch.context() as patch:
            patch.setattr(store, "pin", unheard)
            assert confirm(anna, hold).status_code == 201
        assert confirm(bela, rival).status_code == 201
        assert BookedSeat.objects.filter(live=True).count() == 2

"""What staff or the clock change is seen by the next lock, in every process."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from config import clock
from reservations.api import kept_answers
from reservations.availability import plans
from reservations.availability.memory import BoundedMemory
from reservations.services import hold_seats
from tests.availability import railway
from tests.engine import Traveller
from tests.reservations.test_bookings import book
from tests.reservations.test_hold_seats import wish
from trains import hooks
from trains.models import Coach, Departure, Train
from trains.services.touch_departures import touch_departures

pytestmark = pytest.mark.django_db(transaction=True)


def change(departure: Departure, **fields: Any) -> None:
    """As the staff's call does it, seen from a process whose plans are old."""
    with transaction.atomic():
        Departure.objects.filter(pk=departure.pk).update(**fields)
        touch_departures(fields=list(fields), actor_id=None, departure_ids=[departure.pk])


@contextmanager
def another_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """It has read no plans yet; ours stay as they are."""
    with monkeypatch.context() as patch:
        for name in ("_departures", "_trains", "_fares", "_plans"):
            patch.setattr(plans, name, BoundedMemory(8))
        yield


def refusal(answer: Any) -> str:
    assert answer.status_code == 409, answer.content
    return str(answer.json()["code"])


def test_a_closed_departure_is_not_on_sale_until_it_is_opened_again(
    anna: Traveller, departure: Departure
) -> None:
    three = wish(departure, "S1-1", "S1-3", "S1-4")
    assert anna.post("reservations/lock/", three).status_code == 201
    change(departure, status="closed")
    more_than_are_free = wish(departure, travel_class="SL", count=6)
    for asked in (wish(departure, "S1-2"), more_than_are_free):
        answer = anna.post("reservations/lock/", asked)
        assert refusal(answer) == "not-on-sale"
        assert "opens_at" not in answer.json()
    change(departure, status="open")
    assert anna.post("reservations/lock/", wish(departure, "S1-2")).status_code == 201


def test_p5_a_repeat_finds_its_hold_though_the_departure_closed_and_nothing_is_free(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, key = wish(departure, travel_class="CC", count=6), {"Idempotency-Key": "one"}
    with monkeypatch.context() as patch:  # the server dies before the answer is kept
        patch.setattr(kept_answers, "keep", lambda *_: None)
        first = anna.post("reservations/lock/", asked, **key)
    change(departure, status="closed")
    again = anna.post("reservations/lock/", asked, **key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json()["hold"] == first.json()["hold"]


def test_a_hold_from_before_a_departure_closed_may_be_confirmed(
    anna: Traveller, departure: Departure
) -> None:
    hold = anna.post("reservations/lock/", wish(departure, "S1-1")).json()["hold"]
    change(departure, status="closed")
    assert anna.post("reservations/confirm/", {"hold": hold}).status_code == 201


def test_a_sale_that_opens_later_says_when(anna: Traveller, express: Train) -> None:
    opens_at = clock.now() + timedelta(hours=2)
    departure = railway.departure(express, sale_opens_at=opens_at)
    answer = anna.post("reservations/lock/", wish(departure, "S1-1"))
    assert refusal(answer) == "not-on-sale"
    assert answer.json()["opens_at"].startswith(opens_at.strftime("%Y-%m-%dT%H:%M"))


def test_a_stretch_is_on_sale_until_the_train_leaves_its_boarding_stop(
    anna: Traveller, express: Train, time_passes: Any
) -> None:
    leaves_at = clock.now() + timedelta(seconds=100)
    departure = railway.departure(express, starts_at=leaves_at - timedelta(hours=8))
    with time_passes(95):
        assert anna.post("reservations/lock/", wish(departure, "S1-1")).status_code == 201
        with time_passes(10):
            late = anna.post("reservations/lock/", wish(departure, "S1-2"))
            assert refusal(late) == "not-on-sale"
            later = wish(departure, "S1-2", source="BBB")
            assert anna.post("reservations/lock/", later).status_code == 201


def test_a_new_price_is_seen_at_once_and_a_held_fare_stays(
    anna: Traveller, departure: Departure
) -> None:
    before = anna.post("reservations/lock/", wish(departure, "S1-1")).json()
    change(departure, fare_factor="2.000")
    after = anna.post("reservations/lock/", wish(departure, "S1-2")).json()
    assert float(after["fare"]["amount"]) == 2 * float(before["fare"]["amount"])
    booked = anna.post("reservations/confirm/", {"hold": before["hold"]}).json()
    assert booked["fare"] == before["fare"]


def test_seats_of_a_coach_added_later_are_sold_also_by_a_process_with_an_old_plan(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    book(anna, departure, "S1-1")
    with another_process(monkeypatch):
        with transaction.atomic():
            Coach.objects.create(
                train=departure.train, label="X1", travel_class="SL", capacity=4, order=9
            )
            touch_departures(fields=["coaches"], actor_id=None, train_ids=[departure.train_id])
        # Its first seat is the first that the old plan has no place for.
        hold = anna.post("reservations/lock/", wish(departure, "X1-1")).json()["hold"]

    booked = anna.post("reservations/confirm/", {"hold": hold})
    assert booked.status_code == 201
    assert booked.json()["seats"] == ["X1-1"]


def test_rule_7_an_image_that_is_older_than_the_plan_is_refreshed_by_who_locks(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who changed it was killed right after COMMIT, and nobody has consumed the outbox."""
    before = anna.post("reservations/lock/", wish(departure, "S1-1")).json()
    monkeypatch.setattr(hooks, "announce_changed", lambda _: None)
    change(departure, fare_factor="2.000")
    with another_process(monkeypatch):
        after = anna.post("reservations/lock/", wish(departure, "S1-2"))
    assert after.status_code == 201, after.content
    assert float(after.json()["fare"]["amount"]) == 2 * float(before["fare"]["amount"])


def test_a_process_with_an_old_plan_reads_it_again_and_leaves_a_new_image_alone(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = anna.post("reservations/lock/", wish(departure, "S1-1")).json()
    with another_process(monkeypatch):
        change(departure, fare_factor="2.000")
    monkeypatch.setattr(hold_seats, "refresh_departure", None)
    after = anna.post("reservations/lock/", wish(departure, "S1-2")).json()
    assert float(after["fare"]["amount"]) == 2 * float(before["fare"]["amount"])

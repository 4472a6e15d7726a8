"""What staff or the clock change is seen by the next lock, in every process."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from config import clock
from reservations.availability import plans
from tests.availability import railway
from tests.engine import Traveller
from tests.reservations.test_bookings import book
from tests.reservations.test_hold_seats import wish
from trains.models import Coach, Departure, Train
from trains.services.touch_departures import touch_departures

pytestmark = pytest.mark.django_db(transaction=True)


def change(departure: Departure, **fields: Any) -> None:
    """As the staff's call does it, seen from a process whose plans are old."""
    with transaction.atomic():
        Departure.objects.filter(pk=departure.pk).update(**fields)
        touch_departures(fields=list(fields), actor_id=None, departure_ids=[departure.pk])


def refusal(answer: Any) -> str:
    assert answer.status_code == 409, answer.content
    return str(answer.json()["code"])


def test_a_closed_departure_is_not_on_sale_until_it_is_opened_again(
    anna: Traveller, departure: Departure
) -> None:
    assert anna.post("reservations/lock/", wish(departure, "S1-1")).status_code == 201
    change(departure, status="closed")
    answer = anna.post("reservations/lock/", wish(departure, "S1-2"))
    assert refusal(answer) == "not-on-sale"
    assert "opens_at" not in answer.json()
    change(departure, status="open")
    assert anna.post("reservations/lock/", wish(departure, "S1-2")).status_code == 201


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
    old = plans.plan_of(departure.id)
    with transaction.atomic():
        Coach.objects.create(
            train=departure.train, label="X1", travel_class="SL", capacity=4, order=9
        )
        touch_departures(fields=["coaches"], actor_id=None, train_ids=[departure.train_id])
    plans.forget_all()
    hold = anna.post("reservations/lock/", wish(departure, "X1-4")).json()["hold"]

    answers = iter([old])
    real = plans.plan_of
    monkeypatch.setattr(
        "reservations.services.confirm_booking.plan_of",
        lambda number: next(answers, None) or real(number),
    )
    booked = anna.post("reservations/confirm/", {"hold": hold})
    assert booked.status_code == 201
    assert booked.json()["seats"] == ["X1-4"]

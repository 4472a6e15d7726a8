"""A whole departure is cancelled: all refunded, all told, in batches, whoever dies meanwhile."""

import threading
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.db import OperationalError, connection, transaction

from config import clock
from config.outbox.consumers import consume_pending
from config.outbox.models import OutboxEvent
from reservations.models import Booking, BookingMail, Cancellation
from reservations.payments.models import Payment, Refund
from reservations.services import cancel_booking, cancel_departure
from reservations.services.cancel_departure import cancel_withdrawn
from reservations.services.mail_bookings import send_waiting
from reservations.waitlist.models import Entry
from reservations.waitlist.services.tend_waitlists import tend_waitlists
from tests.cancellation.conftest import Buy, cancel, detail
from tests.engine import Traveller
from tests.payments.paying import lock, refunds_go_out
from tests.reservations.test_booking_statement import until_somebody_waits
from tests.reservations.test_bookings import book
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)
WHY = {"reason": "A landslide on the line."}


def path(run: Departure) -> str:
    return f"operations/departures/{run.pk}/cancel/"


def test_all_bookings_are_refunded_and_their_owners_told(
    anna: Traveller, bela: Traveller, controller: Traveller, buy: Buy, run: Departure
) -> None:
    paid, part = buy(anna, "S1-1", "S1-2"), buy(bela, "S1-3", "S1-4")
    cancel(bela, part, "S1-4")
    unpaid = Booking.objects.get(pnr=book(anna, run, "C1-1")["pnr"])
    held = lock(bela, run, "S1-5")["hold"]
    assert controller.get(path(run)).status_code == 404
    begun = controller.post(path(run), WHY)
    assert begun.status_code == 202, begun.content
    assert (begun.json()["status"], begun.json()["left"]) == ("under-way", 3)
    wish = {"departure": run.pk, "source": "AAA", "destination": "CCC", "seats": ["S1-6"]}
    refused = bela.post("reservations/lock/", wish)
    assert refused.json()["code"] == "not-on-sale"
    late = bela.post("reservations/confirm/", {"hold": held})
    assert late.status_code == 201, "held before: booked, and given back by the next round"

    assert cancel_withdrawn() == 4
    assert cancel_withdrawn() == 0
    told = controller.get(path(run)).json()
    assert (told["status"], told["left"], told["cancelled"]) == ("done", 0, 4)
    late_fare = Decimal(late.json()["fare"]["amount"])
    amount = paid.fare + part.fare / 2 + unpaid.fare + late_fare
    assert told["refunds"] == {"INR": str(amount)}
    refunds_go_out()
    assert {each.state for each in Payment.objects.all()} == {"refunded"}
    shown = detail(anna, paid)["cancellation"]
    assert (shown["rule"], shown["by"]) == ("departure-cancelled", "staff")
    assert (shown["refund"]["status"], shown["refund"]["amount"]) == ("done", str(paid.fare))
    assert detail(anna, unpaid)["cancellation"]["refund"]["status"] == "by-hand"

    assert send_waiting() == 5  # four of the departure, one of the seat given back before
    subjects = sorted(each.subject for each in mail.outbox)
    assert sum("Your train does not run" in each for each in subjects) == 4
    (to_anna,) = [each for each in mail.outbox if str(paid.pnr) in each.subject]
    assert to_anna.to == ["anna@example.org"]
    assert f"Seats S1-1, S1-2: {paid.fare} INR of {paid.fare} INR go back" in to_anna.body
    assert send_waiting() == 0
    facts = OutboxEvent.objects.filter(kind="booking.cancelled")
    assert {fact.body["reason"] for fact in facts} == {WHY["reason"]}
    fact = OutboxEvent.objects.get(kind="staff.departure-cancelled")
    assert (fact.stage, fact.body["actor"]) == (1, controller.user.pk)


def test_a_worker_that_dies_in_a_batch_loses_that_batch_and_the_next_goes_on(
    anna: Traveller, controller: Traveller, buy: Buy, run: Departure, monkeypatch: Any
) -> None:
    for number in range(1, 6):
        buy(anna, f"S1-{number}")
    monkeypatch.setattr(cancel_departure, "BATCH", 2)
    controller.post(path(run), WHY)
    real = cancel_booking.cancel_locked
    calls: list[str] = []

    def dies(*args: Any, **more: Any) -> Any:
        calls.append(args[0].pnr)
        if len(calls) == 4:  # the second of the second batch
            raise SystemExit
        return real(*args, **more)

    monkeypatch.setattr(cancel_departure, "cancel_locked", dies)
    with pytest.raises(SystemExit):
        cancel_withdrawn()
    assert controller.get(path(run)).json()["cancelled"] == 2
    assert Refund.objects.count() == BookingMail.objects.count() == 2, "whole batches"
    assert cancel_withdrawn() == 3
    assert (
        Refund.objects.count() == BookingMail.objects.count() == Cancellation.objects.count() == 5
    )
    assert not Booking.objects.filter(status="confirmed").exists()


@pytest.mark.django_db
def test_one_booking_that_fails_keeps_nobody_waiting(
    anna: Traveller, controller: Traveller, buy: Buy, run: Departure, monkeypatch: Any
) -> None:
    first, second = buy(anna, "S1-1"), buy(anna, "S1-2")
    controller.post(path(run), WHY)
    real = cancel_booking.cancel_locked

    def fails(booking: Booking, *args: Any, **more: Any) -> Any:
        if booking.pk == first.pk:
            raise OperationalError("cannot")
        return real(booking, *args, **more)

    with monkeypatch.context() as broken:
        broken.setattr(cancel_departure, "cancel_locked", fails)
        assert cancel_withdrawn() == 1
    assert controller.get(path(run)).json()["left"] == 1
    assert cancel_withdrawn() == 1
    second.refresh_from_db()
    assert second.status == "cancelled"


@pytest.mark.django_db
def test_it_is_cancelled_once_and_never_on_sale_again(
    controller: Traveller, run: Departure
) -> None:
    first = controller.post(path(run), WHY).json()
    again = controller.post(path(run), {"reason": "another reason"})
    assert (again.status_code, again.json()) == (202, first)
    opened = controller.client.patch(
        f"/api/v1/departures/{run.pk}/", {"status": "open"}, content_type="application/json"
    )
    assert (opened.status_code, opened.json()["state"]) == (409, "withdrawn")
    run.refresh_from_db()
    assert (run.status, run.withdrawn_at is not None) == ("closed", True)
    assert controller.post("operations/departures/987654/cancel/", WHY).status_code == 404


def test_seats_that_come_free_are_given_to_nobody_who_waits(
    anna: Traveller, bela: Traveller, controller: Traveller, buy: Buy, run: Departure
) -> None:
    seats = [f"C1-{number}" for number in range(1, 7)]
    buy(anna, *seats)
    book(anna, run, "C1-7", "C1-8")
    wish = {"departure": run.pk, "source": "AAA", "destination": "CCC", "travel_class": "CC"}
    assert bela.post("reservations/waitlist/", {**wish, "count": 2}).status_code == 201
    controller.post(path(run), WHY)
    assert cancel_withdrawn() == 2
    while consume_pending():
        pass
    tend_waitlists()
    entry = Entry.objects.get()
    assert (entry.state, entry.offers) == ("lapsed", 0)
    fact = OutboxEvent.objects.get(kind="waitlist.lapsed")
    assert fact.body["reason"] == "withdrawn"


@pytest.mark.django_db
def test_late_bookings_are_looked_for_until_a_day_after_the_last_arrival(
    anna: Traveller, controller: Traveller, buy: Buy, run: Departure
) -> None:
    buy(anna, "S1-1")
    controller.post(path(run), WHY)
    arrives_in = run.ends_at - clock.now()
    for hours, cancelled in ((25, 0), (23, 1)):
        with clock.moved(arrives_in + timedelta(hours=hours)):
            assert cancel_withdrawn() == cancelled


def cancelled_by_two(run: Departure, *, without_lock: bool = False) -> int:
    """A worker has cancelled its batch and not committed; how many another cancels meanwhile.

    first    SELECT FOR UPDATE, cancelled ............ COMMIT
    second                       SELECT (skips)  0
    without                      SELECT (confirmed!), waits ... cancels again
    """
    done: list[int] = []

    def unlocked(execute: Any, sql: str, *rest: Any) -> Any:
        text = sql.split(" FOR UPDATE", maxsplit=1)[0] if without_lock else sql
        return execute(text, *rest)

    def second() -> None:
        with connection.execute_wrapper(unlocked):
            done.append(cancel_withdrawn())
        connection.close()

    thread = threading.Thread(target=second)
    with transaction.atomic():
        assert cancel_withdrawn() == 1
        thread.start()
        if without_lock:
            until_somebody_waits()
        else:
            thread.join(30)
            assert not thread.is_alive(), "it waits for the first"
    thread.join(30)
    return done[0]


def test_two_workers_at_once_cancel_each_booking_once(
    anna: Traveller, controller: Traveller, run: Departure
) -> None:
    book(anna, run, "S1-1")
    controller.post(path(run), WHY)
    assert cancelled_by_two(run) == 0
    assert Cancellation.objects.count() == 1


def test_without_the_row_lock_two_workers_give_back_one_booking_twice(
    anna: Traveller, controller: Traveller, run: Departure
) -> None:
    book(anna, run, "S1-1")
    controller.post(path(run), WHY)
    assert cancelled_by_two(run, without_lock=True) == 1
    assert Cancellation.objects.count() == 2

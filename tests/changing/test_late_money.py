"""The difference of a change is paid late, twice, or by servers that die on the way."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Thread
from typing import Any

import pytest
from django.db import connections, transaction

from config.outbox.consumers import consume_pending
from reservations.holds import ids
from reservations.models import Booking
from reservations.payments.models import Payment
from reservations.payments.services import finish_change
from reservations.payments.services.ask_gateways import finish_captured
from reservations.services.expire_holds import expire_holds
from tests.changing.conftest import (
    book,
    book_paid,
    changed,
    due,
    money_agrees,
    seats_of,
)
from tests.engine import Traveller
from tests.invariants import assert_invariants
from tests.payments.paying import pay, press_pay, refunds_go_out, send
from trains.models import ClassFare, Departure, FareTable
from trains.services.change_fares import touch_fares

pytestmark = pytest.mark.django_db(transaction=True)
Time = Callable[[float], AbstractContextManager[None]]


class Died(BaseException):
    """The server's process is gone; nothing after this point runs."""


def dies(*_: Any, **__: Any) -> Any:
    raise Died


def consume() -> None:
    while consume_pending():
        pass


def captured(payment: Payment) -> Payment:
    with pytest.MonkeyPatch.context() as nobody:
        nobody.setattr("reservations.payments.services.receive_webhook.finish_soon", lambda _: None)
        for body in press_pay(payment):
            assert send(body).status_code == 200
    payment.refresh_from_db()
    return payment


@pytest.mark.parametrize("step", ["decide", "apply_change"])
def test_killed_between_capture_and_change_it_is_made_later(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    pnr = book_paid(anna, departure, "S1-1")
    payment = captured(due(anna, pnr, seats=["C1-2"]))
    with monkeypatch.context() as dying:
        dying.setattr(finish_change, step, dies)
        with pytest.raises(Died):
            finish_change.finish_change(payment)
    assert (seats_of(pnr), Payment.objects.get(pk=payment.pk).outcome) == (["S1-1"], "")
    finish_captured()
    assert (seats_of(pnr), Payment.objects.get(pk=payment.pk).outcome) == (["C1-2"], "booked")
    finish_captured()
    assert money_agrees(pnr)
    assert_invariants(departure.pk)


@pytest.mark.parametrize("what", ["free", "taken", "cancelled", "changed", "dearer"])
def test_money_that_comes_late_makes_the_change_or_goes_back(  # fixtures
    anna: Traveller,
    bela: Traveller,
    departure: Departure,
    time_passes: Time,
    what: str,
) -> None:
    pnr = book_paid(anna, departure, "S1-1")
    payment = due(anna, pnr, seats=["C1-2"])
    with time_passes(700):
        expire_holds()
        match what:
            case "taken":
                book(bela, departure, "C1-2")
            case "cancelled":
                assert anna.post(f"reservations/bookings/{pnr}/cancel/").status_code == 200
            case "changed":
                changed(anna, pnr, seats=["S1-3"])
            case "dearer":
                ClassFare.objects.filter(travel_class="CC").update(base=900)
                with transaction.atomic():
                    touch_fares(table_id=FareTable.objects.get().pk, actor_id=None)
                consume()
        pay(payment)
        refunds_go_out()
        payment.refresh_from_db()
        ends = {
            "free": ("booked", "", ["C1-2"]),
            "taken": ("returned", "seat-unavailable", ["S1-1"]),
            "cancelled": ("returned", "booking-cancelled", []),
            "changed": ("returned", "booking-changed", ["S1-3"]),
            "dearer": ("returned", "fare-changed", ["S1-1"]),
        }
        assert (payment.outcome, payment.reason, seats_of(pnr)) == ends[what]
        if payment.outcome == "returned":
            assert payment.state == "refunded"
        assert what == "cancelled" or money_agrees(pnr)
        consume()
        assert_invariants(departure.pk)


def test_two_that_finish_one_change_make_it_once(anna: Traveller, departure: Departure) -> None:
    pnr = book_paid(anna, departure, "S1-1")
    payment = captured(due(anna, pnr, seats=["C1-2"]))

    def finish() -> None:
        finish_change.finish_change(Payment.objects.get(pk=payment.pk))
        connections.close_all()

    threads = [Thread(target=finish) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    consume()
    assert (seats_of(pnr), Booking.objects.get(pnr=pnr).revision) == (["C1-2"], 2)
    assert money_agrees(pnr)
    assert_invariants(departure.pk)


def test_the_hold_of_a_change_that_was_made_is_nobody_s_booking(
    anna: Traveller, departure: Departure
) -> None:
    pnr = book_paid(anna, departure, "S1-1")
    payment = due(anna, pnr, seats=["C1-2"])
    other = anna.post("payments/", {"hold": payment.hold, "provider": "sandbox"})
    assert other.json()["payment"] == str(payment.pk), "it is the same payment"
    pay(payment)
    assert anna.post("reservations/confirm/", {"hold": payment.hold}).status_code == 410
    assert ids.read(payment.hold).user == anna.user.pk
    assert Booking.objects.filter(status="confirmed").count() == 1

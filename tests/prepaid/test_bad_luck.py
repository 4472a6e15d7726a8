"""Processes that die between two steps of prepaid money, and people who act between them."""

from threading import Thread
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from reservations.models import Booking
from reservations.payments.models import Payment
from reservations.payments.services import record
from reservations.payments.services.ask_gateways import finish_captured
from reservations.prepaid.services import finish_prepayment as finishing
from reservations.prepaid.services import purse
from reservations.waitlist.models import Entry
from reservations.waitlist.services import make_offer
from reservations.waitlist.services.leave_waitlist import leave_waitlist
from tests.engine import Traveller
from tests.invariants import assert_invariants
from tests.payments.paying import pay, press_pay, refunds_go_out, send
from tests.prepaid.conftest import agrees, begin, bookings_of, prepay, stands
from tests.waitlist.conftest import cancel, join, seen, state, work
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)


class Died(BaseException):
    """The server's process is gone; nothing after this point runs."""


def dies(*_: Any, **__: Any) -> Any:
    raise Died


def crash(module: Any, step: str, act: Any) -> None:
    with pytest.MonkeyPatch.context() as server:
        server.setattr(module, step, dies)
        with pytest.raises(Died):
            act()


def captured(payment: Payment) -> Payment:
    """Captured, and nobody has decided anything."""
    with pytest.MonkeyPatch.context() as nobody:
        nobody.setattr("reservations.payments.services.receive_webhook.finish_soon", lambda _: None)
        for body in press_pay(payment):
            assert send(body).status_code == 200
    assert stands(payment) == ("captured", "")
    return payment


def test_killed_between_capture_and_keeping_the_money_is_kept_later(
    run: Departure, sold: list[str], anna: Traveller
) -> None:
    payment = captured(begin(anna, join(anna, run)))
    crash(finishing, "decide", lambda: finishing.finish_prepayment(payment))
    assert stands(payment)[1] == ""
    assert finish_captured() == 1
    assert stands(payment)[1] == "kept"


def test_killed_between_keeping_and_booking_the_offer_is_booked_by_the_next(
    run: Departure, sold: list[str], anna: Traveller, controller: Traveller
) -> None:
    entry = join(anna, run)
    payment = begin(anna, entry)
    cancel(controller, sold[0])
    work()
    captured(payment)
    crash(finishing, "book_offer_soon", lambda: finishing.finish_prepayment(payment))
    assert (state(entry), stands(payment)[1]) == ("offered", "kept")
    work()
    assert (state(entry), stands(payment)[1]) == ("confirmed", "booked")
    assert_invariants(run.pk)


@pytest.mark.parametrize("step", ["decide", "owe"])
def test_killed_while_the_seats_are_booked_leaves_one_booking_with_its_money(
    run: Departure, sold: list[str], anna: Traveller, controller: Traveller, step: str
) -> None:
    """Booking, entry and money are one transaction: all of it, or none of it yet."""
    entry = join(anna, run)
    payment = prepay(anna, entry)
    if step == "owe":
        url = f"/api/v1/departures/{run.pk}/"
        controller.client.patch(url, {"fare_factor": "0.5"}, "application/json")

    def seats_come_free() -> None:
        cancel(controller, sold[0])
        work()

    crash(purse, step, seats_come_free)
    assert (state(entry), stands(payment)[1], bookings_of(anna)) == ("waiting", "kept", 0)
    work()
    assert (state(entry), stands(payment)[1], bookings_of(anna)) == ("confirmed", "booked", 1)
    assert agrees(payment)
    assert_invariants(run.pk)


def test_killed_while_the_place_ends_it_has_not_ended(
    run: Departure, sold: list[str], anna: Traveller
) -> None:
    entry = join(anna, run)
    payment = prepay(anna, entry)
    crash(purse, "return_all", lambda: leave_waitlist(user=anna.user.pk, key=entry))
    assert (state(entry), stands(payment)[1]) == ("waiting", "kept")
    leave_waitlist(user=anna.user.pk, key=entry)
    refunds_go_out()
    assert (state(entry), stands(payment)) == ("left", ("refunded", "returned"))


@pytest.mark.parametrize("how", ["twice", "out-of-order", "late", "silent"])
def test_however_the_gateway_tells_it_is_kept_once(
    run: Departure, sold: list[str], anna: Traveller, how: str
) -> None:
    payment = prepay(anna, join(anna, run), method=how)
    if how == "silent":
        assert stands(payment) == ("created", "")
        finishing.finish_prepayment(payment)
        assert stands(payment) == ("created", ""), "nobody captured anything"
        return
    assert stands(payment) == ("captured", "kept")


def leaves_meanwhile(
    run: Departure, anna: Traveller, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, str]:
    """She leaves between the look at her entry and what is decided of her money.

    finish   entry: waiting ............... kept
    leave                     left (nothing kept)
    """
    entry = join(anna, run)
    payment = captured(begin(anna, entry))
    rivals: list[Thread] = []

    def leave() -> None:
        leave_waitlist(user=anna.user.pk, key=entry)
        connections.close_all()

    real = record.lock_payment

    def late(pk: Any) -> Payment:
        if not rivals:
            rivals.append(Thread(target=leave))
            rivals[0].start()
            rivals[0].join(0.7)  # it waits for us; or, without the guard, it is done
        return real(pk)

    monkeypatch.setattr(finishing, "lock_payment", late)
    finishing.finish_prepayment(payment)
    rivals[0].join(30)
    return state(entry), stands(payment)[1]


@pytest.mark.usefixtures("sold")
def test_who_leaves_while_the_money_comes_gets_it_back(
    run: Departure, anna: Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert leaves_meanwhile(run, anna, monkeypatch) == ("left", "returned")


@pytest.mark.usefixtures("sold")
def test_without_the_entry_s_lock_money_is_kept_for_who_left(
    run: Departure, anna: Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finishing, "lock_entry", lambda pk: Entry.objects.get(pk=pk))
    assert leaves_meanwhile(run, anna, monkeypatch) == ("left", "kept")


def test_two_that_finish_at_once_keep_it_once(
    run: Departure, sold: list[str], anna: Traveller
) -> None:
    payment = captured(begin(anna, join(anna, run)))

    def finish() -> None:
        finishing.finish_prepayment(payment)
        connections.close_all()

    threads = [Thread(target=finish) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert stands(payment) == ("captured", "kept")


def test_a_confirm_by_hand_while_the_money_books_is_one_booking(
    run: Departure, sold: list[str], anna: Traveller, controller: Traveller
) -> None:
    """Between the pin and the write of the paid booking, its owner confirms the same hold."""
    entry = join(anna, run)
    payment = begin(anna, entry)
    cancel(controller, sold[0])
    work()
    captured(payment)
    hold = seen(anna, entry)["offer"]["hold"]
    real, answers = make_offer._write, []

    def confirmed_first(pk: int, new: Any) -> Any:
        answers.append(anna.post("reservations/confirm/", {"hold": hold}).status_code)
        return real(pk, new)

    with pytest.MonkeyPatch.context() as crossing:
        crossing.setattr(make_offer, "_write", confirmed_first)
        finishing.finish_prepayment(payment)
    work()
    assert answers == [201]
    assert (state(entry), stands(payment)[1]) == ("confirmed", "booked")
    assert Booking.objects.filter(owner=anna.user).count() == 1
    assert agrees(payment)


def test_left_out_the_money_goes_back(run: Departure, sold: list[str], anna: Traveller) -> None:
    """Money for a place of an installation that has no waitlist any more."""
    from reservations.payments.services import purposes

    payment = begin(anna, join(anna, run))
    with pytest.MonkeyPatch.context() as without:
        without.setattr(purposes, "_finishers", {})
        without.setattr(purposes, "_starters", {})
        refused = anna.post("payments/", {"entry": "x", "provider": "sandbox"})
        assert (refused.status_code, list(refused.json()["errors"])) == (400, ["entry"])
        assert pay(payment).outcome == "returned"
    assert Client().get("/health/live/").status_code == 200

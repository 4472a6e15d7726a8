"""P9: a captured payment ends as one booking or one refund, never neither, never both."""

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models import Sum

from reservations.bookings.insert import NewBooking, Verdict, insert_booking, insert_booking_within
from reservations.models import Booking
from reservations.payments.models import Payment, Refund
from reservations.payments.services import finish_payment as finishing
from reservations.payments.services import record
from reservations.payments.services.ask_gateways import finish_captured
from tests.engine import Traveller
from tests.payments.paying import lock, press_pay, refunds_go_out, send, start
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    """The process ends here: nothing catches it."""


def captured(anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch) -> Payment:
    """A payment that is captured, and that nobody has finished."""
    payment = start(anna, lock(anna, departure, "S1-1")["hold"])
    with monkeypatch.context() as nobody:
        nobody.setattr("reservations.payments.services.receive_webhook.finish_soon", lambda _: None)
        for body in press_pay(payment):
            assert send(body).status_code == 200
    payment.refresh_from_db()
    assert (payment.state, payment.outcome) == ("captured", "")
    return payment


def ends(payment: Payment) -> tuple[int, int]:
    """Bookings and refunds that stand for this payment's money."""
    bookings = Booking.objects.filter(owner=payment.owner_id, status="confirmed").count()
    return bookings, Refund.objects.filter(payment=payment).count()


def together(*acts: Callable[[], Any]) -> None:
    """Run them at once, each on a connection of its own."""

    def run(act: Callable[[], Any]) -> None:
        try:
            act()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)


def test_p9_two_that_finish_one_payment_end_with_one_booking(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = captured(anna, departure, monkeypatch)
    finish = lambda: finishing.finish_payment(payment.pk)  # noqa: E731
    together(finish, finish, finish)
    assert ends(payment) == (1, 0)


def booked_while_given_back(payment: Payment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the payment's check and its booking, somebody else gives the money back."""
    insert = insert_booking_within

    def insert_late(new: NewBooking) -> Verdict:
        rival = threading.Thread(target=_return, args=(payment,))
        rival.start()
        rival.join(1.0)  # with the lock on it waits for us; then it finds the outcome set
        verdict = insert(new)
        late.append(rival)
        return verdict

    late: list[threading.Thread] = []
    monkeypatch.setattr(finishing, "insert_booking_within", insert_late)
    finishing.finish_payment(payment.pk)
    for each in late:
        each.join(30)


def _return(payment: Payment) -> None:
    try:
        finishing.give_back(payment.pk, "test")
    finally:
        connection.close()


def test_p9_money_that_is_being_booked_is_not_given_back(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = captured(anna, departure, monkeypatch)
    booked_while_given_back(payment, monkeypatch)
    assert ends(payment) == (1, 0)


def test_p9_without_the_lock_money_is_booked_and_given_back(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard off: the same rivals, and both get what they want."""
    payment = captured(anna, departure, monkeypatch)
    monkeypatch.setattr(finishing, "lock_payment", lambda pk: Payment.objects.get(pk=pk))
    booked_while_given_back(payment, monkeypatch)
    assert ends(payment) == (1, 1)


@pytest.mark.parametrize("where", ["before", "after"])
def test_p9_a_process_killed_at_the_booking_leaves_one_end(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    payment = captured(anna, departure, monkeypatch)

    def killed(new: NewBooking) -> Verdict:
        if where == "after":
            insert_booking(new)
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr(finishing, "insert_booking_within", killed)
        with pytest.raises(Killed):
            finishing.finish_payment(payment.pk)
    payment.refresh_from_db()
    assert (payment.outcome, ends(payment)) == ("", (0, 0)), "one transaction: all or nothing"
    assert finish_captured() == 1
    assert ends(payment) == (1, 0)


def test_p9_a_process_killed_after_the_booking_committed_leaves_one_end(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = captured(anna, departure, monkeypatch)

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr("reservations.services.confirm_booking._tell_redis", killed)
        with pytest.raises(Killed):
            finishing.finish_payment(payment.pk)
    assert ends(payment) == (1, 0)
    finish_captured()
    assert ends(payment) == (1, 0)


def test_p9_a_process_killed_while_it_gives_back_leaves_one_end(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = captured(anna, departure, monkeypatch)
    Payment.objects.filter(pk=payment.pk).update(captured_currency="USD")

    def killed(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr(record, "owe", killed)
        with pytest.raises(Killed):
            finishing.finish_payment(payment.pk)
    payment.refresh_from_db()
    assert (payment.outcome, ends(payment)) == ("", (0, 0))
    finish_captured()
    refunds_go_out()
    assert ends(payment) == (0, 1)
    payment.refresh_from_db()
    assert payment.state == "refunded"
    total = payment.refunds.aggregate(sum=Sum("amount"))["sum"]
    assert total == payment.captured_amount != Decimal(0)

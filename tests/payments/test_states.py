"""Every pair of states: the legal moves happen, no other does."""

from collections.abc import Callable
from decimal import Decimal
from itertools import product

import pytest
from django.db import IntegrityError, transaction

from reservations.models import Booking
from reservations.payments.models import Payment, Refund
from reservations.payments.services import record
from reservations.payments.states import (
    OUTCOME_MOVES,
    PAYMENT_MOVES,
    REFUND_MOVES,
    Outcome,
    PaymentState,
    RefundState,
)
from tests.engine import Traveller
from tests.payments.paying import lock, start
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def payment(anna: Traveller, departure: Departure) -> Payment:
    return start(anna, lock(anna, departure, "S1-1")["hold"])


def _captured(payment: Payment) -> None:
    record.record_captured(payment, amount=payment.amount, currency=payment.currency)


def _failed(payment: Payment) -> None:
    record.record_failed(payment, reason="declined")


def _all_given_back(payment: Payment) -> None:
    if payment.captured_amount is None:
        return
    refund = payment.refunds.first() or record.owe(
        payment, amount=payment.captured_amount, reason="test"
    )
    record.record_refund(refund, state="done", reference="r")


MOVES: dict[PaymentState, Callable[[Payment], None]] = {
    PaymentState.CAPTURED: _captured,
    PaymentState.FAILED: _failed,
    PaymentState.REFUNDED: _all_given_back,
}


@pytest.mark.parametrize(("before", "after"), list(product(PaymentState, MOVES)))
def test_payments_move_as_the_table_says(
    payment: Payment, before: PaymentState, after: PaymentState
) -> None:
    payment.state = before
    if before in {PaymentState.CAPTURED, PaymentState.REFUNDED}:
        payment.captured_amount, payment.captured_currency = payment.amount, payment.currency
    payment.save()
    if before == PaymentState.REFUNDED:
        Refund.objects.create(payment=payment, amount=payment.amount, reason="x", state="done")
    with transaction.atomic():
        MOVES[after](record.lock_payment(payment.pk))
    payment.refresh_from_db()
    legal = (before, after) in PAYMENT_MOVES
    assert payment.state == (after if legal else before)


@pytest.mark.parametrize(("before", "after"), list(product(RefundState, RefundState)))
def test_refunds_move_as_the_table_says(
    payment: Payment, before: RefundState, after: RefundState
) -> None:
    payment.captured_amount, payment.captured_currency = payment.amount, payment.currency
    payment.state = PaymentState.CAPTURED
    payment.save()
    refund = Refund.objects.create(payment=payment, amount=payment.amount, reason="x", state=before)
    if (before, after) == (RefundState.FAILED, RefundState.DUE):
        return  # staff's move, and its own call: see test_webhooks
    with transaction.atomic():
        record.record_refund(refund, state=after, reference="r")
    refund.refresh_from_db()
    assert refund.state == (after if (before, after) in REFUND_MOVES else before)


@pytest.mark.parametrize(("before", "after"), list(product(Outcome, Outcome)))
def test_outcomes_move_as_the_table_says(
    payment: Payment, anna: Traveller, before: Outcome, after: Outcome
) -> None:
    booked = anna.post("reservations/confirm/", {"hold": payment.hold}).json()["pnr"]
    booking = Booking.objects.get(pnr=booked)
    _captured(payment)
    payment.outcome = before
    payment.booking = booking if before == Outcome.BOOKED else None
    payment.save()
    payment.booking = booking if after == Outcome.BOOKED else None
    legal = (before, after) in OUTCOME_MOVES
    if legal:
        record.decide(payment, after)
    else:
        with pytest.raises(AssertionError):
            record.decide(payment, after)
    payment.refresh_from_db()
    assert payment.outcome == (after if legal else before)


def test_a_booking_is_paid_by_one_payment_and_by_those_of_its_changes(
    payment: Payment, anna: Traveller, departure: Departure
) -> None:
    booked = anna.post("reservations/confirm/", {"hold": payment.hold}).json()["pnr"]
    booking = Booking.objects.get(pnr=booked)
    others = [start(anna, lock(anna, departure, f"S1-{number}")["hold"]) for number in (2, 3)]
    others[0].purpose = "change"
    for each in (payment, others[0]):
        each.booking, each.outcome = booking, Outcome.BOOKED
        each.save()
    with pytest.raises(IntegrityError), transaction.atomic():
        Payment.objects.filter(pk=others[1].pk).update(booking=booking, outcome=Outcome.BOOKED)


def test_an_outcome_is_set_once(payment: Payment) -> None:
    with transaction.atomic():
        _captured(payment)
        record.decide(payment, Outcome.RETURNED)
    with pytest.raises(AssertionError), transaction.atomic():
        record.decide(record.lock_payment(payment.pk), Outcome.RETURNED)


def test_no_more_goes_back_than_came(payment: Payment) -> None:
    with transaction.atomic():
        _captured(payment)
        record.owe(payment, amount=payment.amount - 1, reason="part")
    with pytest.raises(AssertionError), transaction.atomic():
        record.owe(record.lock_payment(payment.pk), amount=Decimal(2), reason="too much")
    with transaction.atomic():
        record.owe(record.lock_payment(payment.pk), amount=Decimal(1), reason="the rest")


def test_the_table_refuses_an_outcome_without_its_booking(payment: Payment) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Payment.objects.filter(pk=payment.pk).update(outcome="booked")

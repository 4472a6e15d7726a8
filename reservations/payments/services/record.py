"""What a gateway says, written down: each function moves one locked payment, or changes nothing.

Messages come twice, late and in any order. Money that was captured stays captured whatever comes
after; a "failed" counts only while nothing else does.
"""

from decimal import Decimal
from uuid import UUID

from django.db.models import Sum

from config import clock
from config.outbox.facts import Fact, append
from reservations.models import Cancellation
from reservations.payments.models import Payment, Refund
from reservations.payments.states import (
    OUTCOME_MOVES,
    PAYMENT_MOVES,
    REFUND_MOVES,
    STAGE,
    Outcome,
    PaymentState,
    RefundState,
)


def lock_payment(pk: UUID | str) -> Payment:
    """The payment, locked until the caller's transaction ends."""
    return Payment.objects.select_for_update().get(pk=pk)


def record_captured(payment: Payment, *, amount: Decimal, currency: str) -> bool:
    """The gateway has the money; True if that is news. Runs in the caller's transaction."""
    if not _may(payment, PaymentState.CAPTURED):
        return False
    payment.state = PaymentState.CAPTURED
    payment.reason = ""
    payment.captured_at = clock.now()
    payment.captured_amount, payment.captured_currency = amount, currency
    payment.save()
    append(payment_fact(payment, "captured", subscribed=True))
    return True


def record_failed(payment: Payment, *, reason: str) -> bool:
    """The gateway, or time, said no; nothing if it has been paid."""
    if not _may(payment, PaymentState.FAILED):
        return False
    payment.state = PaymentState.FAILED
    payment.reason = reason[:60]
    payment.save(update_fields=["state", "reason"])
    append(payment_fact(payment, "failed"))
    return True


def _may(payment: Payment, state: PaymentState) -> bool:
    return (PaymentState(payment.state), state) in PAYMENT_MOVES


def owe(
    payment: Payment, *, amount: Decimal, reason: str, cancellation: Cancellation | None = None
) -> Refund:
    """Decide that money goes back. Never more than was captured, all refunds together.

    `cancellation`: of a booking's seats, for which it goes back. Runs in the caller's transaction,
    which holds the payment's lock. Raises `AssertionError`.
    """
    captured = payment.captured_amount or Decimal(0)
    assert Decimal(0) < amount <= captured - owed(payment), "more than was captured"  # noqa: S101
    refund = Refund.objects.create(
        payment=payment,
        amount=amount,
        reason=reason[:60],
        cancellation=cancellation,
        next_try_at=clock.now(),
    )
    append(refund_fact(refund, payment, "due"))
    return refund


def owed(payment: Payment) -> Decimal:
    """What has gone back or will."""
    total = payment.refunds.aggregate(sum=Sum("amount"))["sum"]
    return total or Decimal(0)


def record_refund(refund: Refund, *, state: str, reference: str, trouble: str = "") -> bool:
    """How a refund stands; True if that is news. Done and failed are ends, done for good."""
    if (RefundState(refund.state), RefundState(state)) not in REFUND_MOVES:
        return False
    payment = lock_payment(refund.payment_id)
    refund.state = state
    refund.reference = reference or refund.reference
    refund.trouble = trouble[:200]
    refund.ended_at = clock.now() if state in {RefundState.DONE, RefundState.FAILED} else None
    refund.save(update_fields=["state", "reference", "trouble", "ended_at"])
    if state == RefundState.DONE:
        done = payment.refunds.filter(state=RefundState.DONE).aggregate(sum=Sum("amount"))["sum"]
        if done == payment.captured_amount:
            payment.state = PaymentState.REFUNDED
            payment.save(update_fields=["state"])
    if state in {RefundState.DONE, RefundState.FAILED}:
        append(refund_fact(refund, payment, state))
    return True


def decide(payment: Payment, outcome: Outcome) -> None:
    """Set what became of captured money, once and for good (P9); the caller holds the lock."""
    was = Outcome(payment.outcome)
    assert payment.state == PaymentState.CAPTURED, payment.state  # noqa: S101
    assert (was, outcome) in OUTCOME_MOVES, f"{was} -> {outcome}"  # noqa: S101
    payment.outcome = outcome
    payment.save(update_fields=["outcome", "booking"])
    append(payment_fact(payment, outcome.value, number=1 if was is Outcome.KEPT else 0))


def return_all(payment: Payment, reason: str) -> None:
    """Decide that captured money goes back, all of it; the caller holds the lock."""
    assert payment.captured_amount is not None  # noqa: S101  # captured says how much
    payment.reason = reason[:60]
    payment.save(update_fields=["reason"])
    decide(payment, Outcome.RETURNED)
    owe(payment, amount=payment.captured_amount, reason=reason)


def payment_fact(payment: Payment, what: str, *, number: int = 0, subscribed: bool = False) -> Fact:
    body = {
        "payment": str(payment.pk),
        "hold": payment.hold,
        "user": payment.owner_id,
        "departure": payment.departure_id,
        "provider": payment.provider,
        "amount": str(payment.captured_amount or payment.amount),
        "currency": payment.captured_currency or payment.currency,
        "reason": payment.reason,
    }
    if payment.booking is not None:
        body["pnr"] = payment.booking.pnr or ""
    return Fact(
        event_id=f"{payment.pk}:{what}",
        kind=f"payment.{what}",
        subject=str(payment.pk),
        stage=STAGE[f"payment.{what}"],
        number=number,
        body=body,
        subscribed=subscribed,
    )


def refund_fact(refund: Refund, payment: Payment, what: str) -> Fact:
    number = refund.attempts if what == "failed" else 0
    return Fact(
        event_id=f"{refund.pk}:{what}" + (f":{number}" if number else ""),
        kind=f"refund.{what}",
        subject=str(payment.pk),
        stage=STAGE[f"refund.{what}"],
        number=number,
        body={
            "refund": str(refund.pk),
            "payment": str(payment.pk),
            "hold": payment.hold,
            "user": payment.owner_id,
            "amount": str(refund.amount),
            "currency": payment.captured_currency,
            "reason": refund.reason,
        },
    )

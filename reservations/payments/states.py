"""The states of a payment and of a refund, what they mean, and every legal move.

Payment
    created     begun; the gateway may or may not know of it, nobody has paid yet
      ├──> captured     the gateway has the money
      └──> failed       the gateway, or time, said no
    failed ──> captured     gateways let a card be tried again, and their messages cross
    captured ──> refunded   all of the money went back

Refund (part of a payment, or all of it)
    due         decided; the gateway has not answered yet, asked again until it does
      ├──> pending      the gateway took it on and will tell
      ├──> done         the money is on its way back
      └──> failed       the gateway refused for good: staff must act
    pending ──> done | failed        failed ──> done  a message that came late
                                     failed ──> due   staff try again

What a captured payment became is its *outcome*, set once, in one transaction with the booking or
the refund (promise P9): `booked`, or `returned`. A booking that is cancelled later leaves the
outcome `booked` and adds refunds. Money that was paid for a place on the waitlist is `kept` until
the place ends:

    none ──> booked | returned | kept        kept ──> booked | returned
"""

from enum import StrEnum
from typing import Final


class PaymentState(StrEnum):
    CREATED = "created"
    CAPTURED = "captured"
    FAILED = "failed"
    REFUNDED = "refunded"


class RefundState(StrEnum):
    DUE = "due"
    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


class Outcome(StrEnum):
    """What became of captured money; NONE until that is decided."""

    NONE = ""
    KEPT = "kept"
    BOOKED = "booked"
    RETURNED = "returned"


class Purpose(StrEnum):
    """What is paid for: a hold, a place on the waitlist, or the difference of a change."""

    HOLD = "hold"
    WAITLIST = "waitlist"
    CHANGE = "change"


PAYMENT_MOVES: Final[frozenset[tuple[PaymentState, PaymentState]]] = frozenset(
    {
        (PaymentState.CREATED, PaymentState.CAPTURED),
        (PaymentState.CREATED, PaymentState.FAILED),
        (PaymentState.FAILED, PaymentState.CAPTURED),
        (PaymentState.CAPTURED, PaymentState.REFUNDED),
    }
)
REFUND_MOVES: Final[frozenset[tuple[RefundState, RefundState]]] = frozenset(
    {
        (RefundState.DUE, RefundState.PENDING),
        (RefundState.DUE, RefundState.DONE),
        (RefundState.DUE, RefundState.FAILED),
        (RefundState.PENDING, RefundState.DONE),
        (RefundState.PENDING, RefundState.FAILED),
        (RefundState.FAILED, RefundState.DONE),
        (RefundState.FAILED, RefundState.DUE),
    }
)

OUTCOME_MOVES: Final[frozenset[tuple[Outcome, Outcome]]] = frozenset(
    {
        (Outcome.NONE, Outcome.KEPT),
        (Outcome.NONE, Outcome.BOOKED),
        (Outcome.NONE, Outcome.RETURNED),
        (Outcome.KEPT, Outcome.BOOKED),
        (Outcome.KEPT, Outcome.RETURNED),
    }
)

STAGE: Final[dict[str, int]] = {
    "payment.created": 1,
    "payment.failed": 2,
    "payment.captured": 3,
    "payment.kept": 4,
    "payment.booked": 4,
    "payment.returned": 4,
    "refund.due": 5,
    "refund.failed": 6,
    "refund.done": 7,
}
"""The place of each fact in a payment's story."""

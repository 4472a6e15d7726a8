"""What the calls about money take and give."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from reservations.api.bodies import Money
from reservations.bookings.passengers import Passenger
from reservations.payments.models import Difference, Payment, Refund
from reservations.payments.states import Outcome

PurposeName = Literal["hold", "waitlist", "change"]
Reason = Annotated[str, msgspec.Meta(min_length=3, max_length=200)]


class StartBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Pay for a hold, or for an `entry` of the waitlist that waits: one of the two. `method` is the
    gateway's word; of the sandbox, how it shall behave. `allow_other_seats`, `passengers`: of a
    hold.
    """

    provider: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]
    hold: Annotated[str, msgspec.Meta(max_length=64)] = ""
    entry: Annotated[str, msgspec.Meta(max_length=64)] = ""
    method: Annotated[str, msgspec.Meta(max_length=40)] = ""
    allow_other_seats: bool = False
    passengers: Annotated[tuple[Passenger, ...], msgspec.Meta(max_length=60)] = ()


class PaidBooking(msgspec.Struct, frozen=True):
    pnr: str
    status: str


class RefundOfPayment(msgspec.Struct, frozen=True):
    """Money on its way back; `reason` says why it was not a booking, or which rule gave it."""

    refund: UUID
    amount: str
    currency: str
    status: str
    reason: str
    reference: str


class PaymentBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """A payment. `next` is what the client does to pay; nothing once there is nothing to do.

    `purpose`: hold; waitlist, a place on it (`kept`: the money waits with it); change, the
    difference of one. `hold` is left out where there is none yet.
    """

    payment: UUID
    status: str
    provider: str
    amount: str
    currency: str
    expires_at: datetime
    purpose: PurposeName
    kept: bool = False
    hold: str = ""
    next: dict[str, Any] | None = None
    booking: PaidBooking | None = None
    refund: RefundOfPayment | None = None
    reason: str = ""


class StaffPayment(msgspec.Struct, frozen=True):
    """A payment as staff see it, with all its refunds."""

    payment: PaymentBody
    user: int
    departure: int
    outcome: str
    reference: str
    captured: Money | None
    created_at: datetime
    captured_at: datetime | None
    refunds: list[RefundOfPayment]


class DifferenceBody(msgspec.Struct, frozen=True):
    """What a gateway and we see differently."""

    difference: int
    provider: str
    kind: str
    payment: UUID | None
    ours: dict[str, Any]
    theirs: dict[str, Any]
    found_at: datetime
    settled_at: datetime | None
    note: str


class NoteBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    note: Reason


class ReasonBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reason: Reason


class PaymentPage(msgspec.Struct, frozen=True):
    count: int
    next: str | None
    previous: str | None
    results: list[StaffPayment]


class DifferencePage(msgspec.Struct, frozen=True):
    count: int
    next: str | None
    previous: str | None
    results: list[DifferenceBody]


WebhookKind = Literal["sandbox", "stripe", "razorpay"]


def payment_body(payment: Payment) -> PaymentBody:
    """What its owner sees. One query for the latest refund, one for the booking."""
    refund = payment.refunds.order_by("-created_at").first()
    booking = payment.booking
    return PaymentBody(
        payment=payment.pk,
        status=payment.state,
        provider=payment.provider,
        purpose=payment.purpose,  # type: ignore[arg-type]  # the purposes' values are these
        kept=payment.outcome == Outcome.KEPT,
        hold=payment.hold,
        amount=str(payment.amount),
        currency=payment.currency,
        expires_at=payment.expires_at,
        next=payment.next_step if payment.state == "created" else None,
        booking=PaidBooking(booking.pnr or "", booking.status) if booking else None,
        refund=refund_body(refund, payment) if refund else None,
        reason=payment.reason,
    )


def refund_body(refund: Refund, payment: Payment) -> RefundOfPayment:
    return RefundOfPayment(
        refund=refund.pk,
        amount=str(refund.amount),
        currency=payment.captured_currency,
        status=refund.state,
        reason=refund.reason,
        reference=refund.reference,
    )


def staff_payment(payment: Payment) -> StaffPayment:
    captured = payment.captured_amount
    return StaffPayment(
        payment=payment_body(payment),
        user=payment.owner_id,
        departure=payment.departure_id,
        outcome=payment.outcome,
        reference=payment.reference,
        captured=None if captured is None else Money(captured, payment.captured_currency),
        created_at=payment.created_at,
        captured_at=payment.captured_at,
        refunds=[refund_body(each, payment) for each in payment.refunds.all()],
    )


def difference_body(found: Difference) -> DifferenceBody:
    return DifferenceBody(
        difference=found.pk,
        provider=found.provider,
        kind=found.kind,
        payment=found.payment_id,
        ours=found.ours,
        theirs=found.theirs,
        found_at=found.found_at,
        settled_at=found.settled_at,
        note=found.note,
    )

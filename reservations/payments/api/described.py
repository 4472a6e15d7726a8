"""The calls about money in the OpenAPI document."""

from typing import Final

import msgspec

from config.http.openapi import Operation, Parameter, describe
from reservations.api.described import BODY, KEYED, PAGE, SIGNED_IN
from reservations.payments.api.bodies import (
    DifferenceBody,
    DifferencePage,
    NoteBody,
    PaymentBody,
    PaymentPage,
    ReasonBody,
    RefundOfPayment,
    StartBody,
)

STAFF: Final = ("forbidden", *SIGNED_IN)
HOLD: Final = "AQAAAAAAFwAAAAAABQ3Xk2Zf0m1Qy5JpUu8s0wVb"


class ReceivedBody(msgspec.Struct, frozen=True):
    """A webhook was taken in, now or before."""

    received: bool


describe(
    Operation(
        method="POST",
        path="payments/",
        name="start_payment",
        tag="Payments",
        summary="Pay for my hold, which lives on for the payment window, or my place on a waitlist",
        description=(
            "The amount is the hold's fare; for an `entry`, the fare of its seats today, kept with "
            "it until seats come free or the place ends. `next` says what the client does now: "
            "open a page, or hand a secret to the gateway's own form. Sent again it gives the same "
            "payment."
        ),
        body=StartBody,
        example={"hold": HOLD, "provider": "sandbox"},
        answers={201: PaymentBody},
        problems=(
            *BODY,
            *SIGNED_IN,
            "not-found",
            "hold-expired",
            "illegal-state",
            "not-on-sale",
            *KEYED,
        ),
        idempotent=True,
    ),
    Operation(
        method="GET",
        path="payments/{payment}/",
        name="show_payment",
        tag="Payments",
        summary="How my payment stands: booked, or going back",
        answers={200: PaymentBody},
        problems=(*SIGNED_IN, "not-found"),
        parameters=(Parameter(name="payment", where="path", about="The payment's id."),),
    ),
    Operation(
        method="POST",
        path="payments/webhooks/{provider}/",
        name="receive_webhook",
        tag="Payments",
        summary="For gateways: a signed message about a payment",
        description=(
            "The raw body is verified with the gateway's own signature header. The same event "
            "again, or events out of order, change nothing."
        ),
        answers={200: ReceivedBody},
        problems=("invalid", "not-found", "too-large", "throttled", "unavailable"),
        parameters=(Parameter(name="provider", where="path", about="sandbox, stripe, razorpay."),),
        open_to_all=True,
    ),
    Operation(
        method="GET",
        path="operations/payments/",
        name="list_payments",
        tag="Operations",
        summary="Any payment, with its refunds",
        answers={200: PaymentPage},
        problems=("invalid", *STAFF),
        parameters=(
            Parameter(name="status", about="created, captured, failed or refunded."),
            Parameter(name="provider"),
            Parameter(name="hold"),
            Parameter(name="pnr"),
            *PAGE,
        ),
    ),
    Operation(
        method="GET",
        path="operations/payments/differences/",
        name="list_differences",
        tag="Operations",
        summary="What a gateway and we see differently",
        answers={200: DifferencePage},
        problems=("invalid", *STAFF),
        parameters=(
            Parameter(name="settled", kind="boolean", about="true: the settled ones too."),
            *PAGE,
        ),
    ),
    Operation(
        method="POST",
        path="operations/payments/differences/{difference}/settle/",
        name="settle_difference",
        tag="Operations",
        summary="Say why a difference is right",
        body=NoteBody,
        example={"note": "Charged back by the bank on 3 May."},
        answers={200: DifferenceBody},
        problems=(*BODY, *STAFF, "not-found", "illegal-state"),
        parameters=(Parameter(name="difference", where="path", kind="integer"),),
    ),
    Operation(
        method="POST",
        path="operations/refunds/{refund}/retry/",
        name="retry_refund",
        tag="Operations",
        summary="Ask once more for a refund that failed",
        body=ReasonBody,
        example={"reason": "The account was open again."},
        answers={200: RefundOfPayment},
        problems=(*BODY, *STAFF, "not-found", "illegal-state"),
        parameters=(Parameter(name="refund", where="path", about="The refund's id."),),
    ),
)

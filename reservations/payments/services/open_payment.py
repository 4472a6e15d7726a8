"""A payment is opened: its row, with its fact, first; then the gateway is told.

The row is there before the gateway is asked, and the gateway gets its id as idempotency key: a
lost reply, a crash or an impatient client ends with one payment on either side. The gateway is
asked outside transactions: its webhook may come before its answer, and must find the row.
"""

from typing import Final

from django.conf import settings

from config.errors import Invalid
from config.outbox.facts import Fact, append
from reservations.payments.gateways.port import GatewayRefused, Order
from reservations.payments.gateways.registry import gateway
from reservations.payments.models import Payment
from reservations.payments.states import STAGE, PaymentState

DESCRIPTION: Final = "Seats on departure {departure}"


def write_created(payment: Payment) -> None:
    """Insert it with its fact, in the caller's transaction. Raises `IntegrityError`: its hold has
    an open payment.
    """
    payment.save(force_insert=True)
    append(
        Fact(
            event_id=f"{payment.pk}:created",
            kind="payment.created",
            subject=str(payment.pk),
            stage=STAGE["payment.created"],
            body={
                "payment": str(payment.pk),
                "hold": payment.hold,
                "user": payment.owner_id,
                "departure": payment.departure_id,
                "provider": payment.provider,
                "amount": str(payment.amount),
                "currency": payment.currency,
                **payment.acting,
            },
        )
    )


def end_unpaid(payment: Payment, *, reason: str) -> None:
    """It failed, unless it was paid meanwhile."""
    Payment.objects.filter(pk=payment.pk, state=PaymentState.CREATED).update(
        state=PaymentState.FAILED, reason=reason
    )


def ask_gateway(payment: Payment) -> Payment:
    """Tell the gateway, unless it answered before; asked twice it gives the same.

    Raises `Invalid` (the gateway refused; the payment failed), `GatewayAway`.
    """
    if payment.reference:
        return payment
    order = Order(
        payment=str(payment.pk),
        amount=payment.amount,
        currency=payment.currency,
        description=DESCRIPTION.format(departure=payment.departure_id),
        return_url=f"{settings.ENV.public_url}/payments/{payment.pk}/",
        method=payment.method,
    )
    try:
        started = gateway(payment.provider).create(order)
    except GatewayRefused as refused:
        end_unpaid(payment, reason=refused.reason)
        raise Invalid({"provider": [f"The gateway refused: {refused.reason}."]}) from refused
    # A webhook may have been faster and have moved the state: only these two are written.
    payment.reference, payment.next_step = started.reference, started.next_step
    Payment.objects.filter(pk=payment.pk).update(
        reference=started.reference, next_step=started.next_step
    )
    return payment

"""A payment is opened: its row, with its fact, first; then the gateway is told.

The row is there before the gateway is asked, and the gateway gets its id as idempotency key: a
lost reply, a crash or an impatient client ends with one payment on either side. The gateway is
asked outside transactions: its webhook may come before its answer, and must find the row.
"""

from typing import Final

from django.conf import settings
from django.db import IntegrityError, transaction

from config.errors import Invalid
from config.outbox.facts import Fact, append
from reservations.errors import HoldExpired, IllegalState
from reservations.holds import ids, store
from reservations.holds.scripts import Outcome
from reservations.payments.gateways.port import GatewayRefused, Order
from reservations.payments.gateways.registry import gateway
from reservations.payments.models import Payment
from reservations.payments.states import STAGE, PaymentState
from reservations.services.hold_seats import Owner

DESCRIPTION: Final = "Seats on departure {departure}"


def prolong(ref: ids.HoldRef, owner: Owner, *, first: bool) -> store.Held:
    """The live hold, kept for the payment window if this is its first payment.

    Raises `HoldExpired`, `IllegalState` (a confirm is under way).
    """
    window_seconds = settings.ENV.payment_window_seconds
    answer = store.extend(
        ref,
        owner.sid,
        ttl_seconds=window_seconds if first else 0,
        cap_seconds=settings.ENV.hold_max_total_seconds + window_seconds,
        acting=owner.acting,
    )
    if answer.outcome is Outcome.PINNED:
        raise IllegalState("The hold is being confirmed.", "confirming")
    if answer.held is None:
        raise HoldExpired
    return answer.held


def write_once(payment: Payment, *, instead_of: Payment | None) -> Payment:
    """Insert it; the other of two that start for a hold at once finds the first.

    Raises `IllegalState`: the first is by another provider.
    """
    try:
        with transaction.atomic():
            if instead_of is not None:
                end_unpaid(instead_of, reason="replaced")
            write_created(payment)
    except IntegrityError:
        rival = Payment.objects.filter(hold=payment.hold, state=PaymentState.CREATED).first()
        if rival is None or rival.provider != payment.provider:
            raise IllegalState("Another payment for this hold has begun.", "created") from None
        return rival
    return payment


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

"""A webhook: verified, written down once with what it changes, answered at once.

gateway          web                                PostgreSQL
  | webhook        |                                   |
  |--------------->| signature? seen before?           |
  |                | message and payment move -------->| one transaction
  |                | finish_payment (may also come from the outbox, later)
  |<---- 200 ------|                                   |
"""

import logging
from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from reservations.payments.gateways.port import Message
from reservations.payments.gateways.registry import gateway
from reservations.payments.models import GatewayMessage, Payment, Refund
from reservations.payments.services.differences import note_difference
from reservations.payments.services.finish_payment import finish_soon
from reservations.payments.services.record import (
    lock_payment,
    record_captured,
    record_failed,
    record_refund,
)
from reservations.payments.states import RefundState

logger = logging.getLogger(__name__)


def receive_webhook(*, provider: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Take in one webhook. Raises `NotFound` (no such gateway), `WrongSignature`, `Invalid`."""
    message = gateway(provider).read_webhook(body, headers)
    if message.kind == "other":
        return
    payment = _payment_of(provider, message)
    with transaction.atomic():
        if not _is_new(provider, message, payment):
            return
        if payment is None:
            _note_stranger(provider, message)
            return
        _apply(message, lock_payment(payment.pk))
    if message.kind == "captured":
        finish_soon(payment.pk)


def _payment_of(provider: str, message: Message) -> Payment | None:
    """By our own id, which is known before the gateway has answered; else by its reference."""
    mine = Payment.objects.filter(provider=provider)
    try:
        found = mine.filter(pk=message.payment).first() if message.payment else None
    except ValidationError:  # not a UUID: not one of ours
        found = None
    if found is None and message.reference:
        found = mine.filter(reference=message.reference).first()
    return found


def _is_new(provider: str, message: Message, payment: Payment | None) -> bool:
    """Keep the event; False if it was kept before. A twin under way is waited for here."""
    _, is_new = GatewayMessage.objects.get_or_create(
        provider=provider,
        event_id=message.event_id[:100],
        defaults={
            "kind": message.kind,
            "payment": payment,
            "reference": message.reference[:100],
            "amount": message.amount,
            "currency": message.currency[:3],
        },
    )
    return is_new


def _apply(message: Message, payment: Payment) -> None:
    match message.kind:
        case "captured":
            assert message.amount is not None  # noqa: S101  # adapters give it with a capture
            record_captured(payment, amount=message.amount, currency=message.currency)
        case "failed":
            record_failed(payment, reason=message.reason or "declined")
        case "refunded" | "refund-failed":
            _apply_refund(message, payment)


def _apply_refund(message: Message, payment: Payment) -> None:
    found = payment.refunds.select_for_update()
    refund = _refund_of(found, message)
    if refund is None:
        note_difference(
            provider=payment.provider,
            kind="refund-not-ours",
            about=message.refund_reference,
            payment=payment,
            theirs={"amount": str(message.amount)},
        )
        return
    state = RefundState.DONE if message.kind == "refunded" else RefundState.FAILED
    record_refund(refund, state=state, reference=message.refund_reference, trouble=message.reason)


def _refund_of(found: "QuerySet[Refund]", message: Message) -> Refund | None:
    try:
        by_id = found.filter(pk=message.refund).first() if message.refund else None
    except ValidationError:
        by_id = None
    return by_id or found.filter(reference=message.refund_reference).exclude(reference="").first()


def _note_stranger(provider: str, message: Message) -> None:
    logger.warning("%s speaks of a payment we do not know: %s", provider, message.reference)
    note_difference(
        provider=provider,
        kind="payment-not-ours",
        about=message.reference,
        theirs={"amount": str(message.amount)},
    )

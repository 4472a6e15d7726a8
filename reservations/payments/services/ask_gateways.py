"""Reconciliation: ask gateways about every payment without an end, and about a whole day.

Webhooks get lost; asking finds out. What the two sides see differently is listed for staff.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q, Sum

from config import clock
from reservations.payments.gateways.port import Gateway, GatewayAway, GatewayRefused, Report
from reservations.payments.gateways.registry import gateway
from reservations.payments.models import Payment, Refund
from reservations.payments.services.differences import note_difference
from reservations.payments.services.finish_payment import finish_soon
from reservations.payments.services.record import lock_payment, record_captured, record_failed
from reservations.payments.states import PaymentState, RefundState

logger = logging.getLogger(__name__)
WITHOUT_END: Final = timedelta(minutes=10)
ASK_AGAIN_AFTER: Final = timedelta(minutes=5)
ASK_FAILED_AFTER: Final = timedelta(hours=1)
FAILED_FOR: Final = timedelta(days=2)
GRACE: Final = timedelta(minutes=10)
BATCH: Final = 100


@dataclass(frozen=True)
class Asked:
    """What one round found: payments asked about, captures nobody told us of, ends by time."""

    asked: int
    captured: int
    failed: int


def finish_captured() -> int:
    """Finish captured payments that neither webhook nor outbox did; how many were looked at."""
    undecided = Payment.objects.filter(state=PaymentState.CAPTURED, outcome="")
    keys = list(undecided.order_by("captured_at").values_list("pk", flat=True)[:BATCH])
    for pk in keys:
        finish_soon(pk)
    return len(keys)


def ask_gateways() -> Asked:
    """Ask about payments without an end ten minutes after they began, and again now and then.

    Those that failed are asked about too, for two days: a page left open may still be paid.
    """
    now = clock.now()
    waiting = Payment.objects.filter(
        _quiet(now - ASK_AGAIN_AFTER) & Q(state=PaymentState.CREATED)
        | _quiet(now - ASK_FAILED_AFTER)
        & Q(state=PaymentState.FAILED, created_at__gt=now - FAILED_FOR)
        & ~Q(reference=""),
        created_at__lt=now - WITHOUT_END,
    ).order_by("created_at")[:BATCH]
    asked = captured = failed = 0
    for payment in waiting:
        Payment.objects.filter(pk=payment.pk).update(asked_at=now)
        report = _ask(payment)
        if report is None:
            continue
        asked += 1
        moved = _record(payment, report)
        captured += moved == PaymentState.CAPTURED
        failed += moved == PaymentState.FAILED
    return Asked(asked, captured, failed)


def _quiet(since: datetime) -> Q:
    return Q(asked_at=None) | Q(asked_at__lt=since)


def _ask(payment: Payment) -> Report | None:
    """What the gateway says; None if it is away. One it was never told of has not been paid."""
    if not payment.reference:
        return Report(state="created")
    try:
        return gateway(payment.provider).ask(payment.reference)
    except GatewayAway:
        return None
    except GatewayRefused as refused:
        return Report(state="failed", reason=refused.reason)


def _record(payment: Payment, report: Report) -> str:
    """Move the payment as reported; an unpaid one ends when window and grace are over."""
    over = payment.expires_at + GRACE < clock.now()
    with transaction.atomic():
        locked = lock_payment(payment.pk)
        moved = False
        if report.state == "captured":
            assert report.amount is not None  # noqa: S101  # adapters give it with a capture
            moved = record_captured(locked, amount=report.amount, currency=report.currency)
        elif report.state == "failed":
            moved = record_failed(locked, reason=report.reason or "declined")
        elif over:
            moved = record_failed(locked, reason="not-paid")
    if moved and locked.state == PaymentState.CAPTURED:
        finish_soon(payment.pk)
    return locked.state if moved else ""


def compare_day(day: date) -> int:
    """Compare a day (UTC) with each gateway that was used; the number of differences seen."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    window = (start, start + timedelta(days=1) - timedelta.resolution)
    used = Payment.objects.filter(created_at__gte=start - timedelta(days=2))
    names = set(used.values_list("provider", flat=True)) | set(settings.ENV.payment_providers)
    seen = 0
    for name in sorted(names):
        try:
            seen += _compare(gateway(name), day, window)
        except (GatewayAway, GatewayRefused):
            logger.warning("%s cannot be asked about %s", name, day, exc_info=True)
    return seen


def _compare(asked: Gateway, day: date, window: tuple[datetime, datetime]) -> int:
    theirs = asked.totals(day)
    mine = Payment.objects.filter(provider=asked.name)
    ours = {each.reference: each for each in mine.filter(reference__in=list(theirs.captured))}
    seen = 0
    for reference, amount in theirs.captured.items():
        payment = ours.get(reference)
        if payment is not None and payment.captured_amount is None:
            _record(payment, Report(state="captured", amount=amount, currency=payment.currency))
            payment.refresh_from_db()
        if payment is None or payment.captured_amount != amount:
            seen += 1
            note_difference(
                provider=asked.name,
                kind="captured-differs" if payment else "payment-not-ours",
                about=reference,
                payment=payment,
                ours={"captured": str(payment.captured_amount)} if payment else {},
                theirs={"amount": str(amount)},
            )
    seen += _missing_there(asked, mine.filter(captured_at__range=window), set(theirs.captured))
    return seen + _compare_refunds(asked, day, window, theirs.refunded)


def _missing_there(asked: Gateway, captured: Iterable[Payment], known: set[str]) -> int:
    """Ours that are not in their day: asked about one by one, midnight may lie between."""
    seen = 0
    for payment in captured:
        if payment.reference in known:
            continue
        report = asked.ask(payment.reference)
        if report.state == "captured" and report.amount == payment.captured_amount:
            continue
        seen += 1
        note_difference(
            provider=asked.name,
            kind="not-captured-there",
            about=payment.reference,
            payment=payment,
            ours={"captured": str(payment.captured_amount)},
            theirs={"state": report.state},
        )
    return seen


def _compare_refunds(
    asked: Gateway, day: date, window: tuple[datetime, datetime], theirs: Decimal
) -> int:
    done = Refund.objects.filter(
        payment__provider=asked.name, state=RefundState.DONE, ended_at__range=window
    )
    ours = done.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
    if ours == theirs:
        return 0
    note_difference(
        provider=asked.name,
        kind="refunds-of-day-differ",
        about=day.isoformat(),
        ours={"refunded": str(ours)},
        theirs={"refunded": str(theirs)},
    )
    return 1

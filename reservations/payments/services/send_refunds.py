"""Give money back: every refund that is due is asked for until the gateway says done or never.

The refund's id is the gateway's idempotency key, so a lost reply or two workers move money once.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db import transaction

from config import clock
from config.errors import NotFound
from config.outbox.facts import Fact, append
from reservations.errors import IllegalState
from reservations.payments.gateways.port import GatewayAway, GatewayRefused, RefundReport
from reservations.payments.gateways.registry import gateway
from reservations.payments.models import Refund
from reservations.payments.services.record import lock_payment, record_refund
from reservations.payments.states import RefundState

BATCH: Final = 50
FIRST_WAIT_SECONDS: Final = 10
LONGEST_WAIT_SECONDS: Final = 3600


@dataclass(frozen=True)
class Sent:
    """What one round did: refunds asked for, and those that ended well."""

    asked: int
    done: int


def send_refunds() -> Sent:
    """Ask for the refunds whose time has come, at most BATCH of them."""
    asked = done = 0
    while asked < BATCH and (refund := _claim()) is not None:
        asked += 1
        done += _send(refund)
    return Sent(asked, done)


def wait_seconds(attempts: int) -> int:
    """10 s, 20 s, 40 s … at most an hour."""
    return min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS << min(max(attempts - 1, 0), 12))


@transaction.atomic
def _claim() -> Refund | None:
    """The next refund, put off for its waiting time first, so that a crash tries it again."""
    refund = (
        Refund.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("payment")
        .filter(state__in=[RefundState.DUE, RefundState.PENDING], next_try_at__lte=clock.now())
        .order_by("next_try_at")
        .first()
    )
    if refund is None:
        return None
    refund.attempts += 1
    refund.next_try_at = clock.now() + timedelta(seconds=wait_seconds(refund.attempts))
    refund.save(update_fields=["attempts", "next_try_at"])
    return refund


def _send(refund: Refund) -> bool:
    payment = refund.payment
    try:
        report = gateway(payment.provider).refund(
            reference=payment.reference,
            refund=str(refund.pk),
            amount=refund.amount,
            currency=payment.captured_currency,
        )
    except GatewayAway as away:
        Refund.objects.filter(pk=refund.pk).update(trouble=str(away)[:200])
        return False
    except GatewayRefused as refused:
        report = RefundReport(state="failed", reference="", reason=refused.reason)
    with transaction.atomic():
        lock_payment(payment.pk)  # before its refund, as a webhook about it does
        locked = Refund.objects.select_for_update().get(pk=refund.pk)
        record_refund(locked, state=report.state, reference=report.reference, trouble=report.reason)
    return report.state == "done"


def retry_refund(*, refund: str, actor: int, reason: str) -> Refund:
    """Staff ask once more for a refund the gateway refused. Raises `NotFound`, `IllegalState`."""
    with transaction.atomic():
        found = Refund.objects.select_for_update().filter(pk=refund).first()
        if found is None:
            raise NotFound("There is no such refund")
        if found.state != RefundState.FAILED:
            raise IllegalState("Only a refund that failed is tried again.", found.state)
        found.state, found.next_try_at, found.ended_at = RefundState.DUE, clock.now(), None
        found.save(update_fields=["state", "next_try_at", "ended_at"])
        append(_retried(found, actor, reason))
    return found


def _retried(refund: Refund, actor: int, reason: str) -> Fact:
    body: dict[str, Any] = {"refund": str(refund.pk), "actor": actor, "reason": reason}
    return Fact(
        event_id=f"{refund.pk}:retried:{refund.attempts}",
        kind="staff.refund_retried",
        subject=str(refund.payment_id),
        stage=6,
        number=refund.attempts,
        body=body,
    )

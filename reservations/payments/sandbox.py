"""The company behind the sandbox gateway: its books, and how it misbehaves when told to.

Nothing of Seatlock's own is touched from here but through the webhook, as with a real gateway.
"""

import secrets
import time
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db import transaction
from django.db.models import F, Sum

from config import clock
from reservations.payments.gateways.port import GatewayAway, GatewayRefused, Order
from reservations.payments.models import SandboxOrder, SandboxRefund

BEHAVIOURS: Final = frozenset(
    {"card", "declined", "slow", "down", "twice", "late", "out-of-order", "silent", "short",
     "refund-down", "refund-refused"}
)  # fmt: skip
SLOW_SECONDS: Final = 2.0
REFUSALS_BEFORE_REFUND: Final = 2


def open_order(order: Order) -> SandboxOrder:
    """The order for this payment, made if it is new."""
    behaviour = order.method if order.method in BEHAVIOURS else "card"
    if behaviour == "down":
        raise GatewayAway("The sandbox was told to be down.")
    if behaviour == "slow":
        time.sleep(SLOW_SECONDS)
    made, _ = SandboxOrder.objects.get_or_create(
        payment=order.payment,
        defaults={
            "id": f"sbx_{secrets.token_urlsafe(20)}",
            "amount": order.amount,
            "currency": order.currency,
            "return_url": order.return_url,
            "behaviour": behaviour,
        },
    )
    return made


def find_order(reference: str) -> SandboxOrder:
    found = SandboxOrder.objects.filter(pk=reference).first()
    if found is None:
        raise GatewayRefused("no-such-order")
    return found


def captured_amount(order: SandboxOrder) -> Decimal:
    """What it took: one unit too little if it was told to be short."""
    return order.amount - (1 if order.behaviour == "short" else 0)


@transaction.atomic
def pay(reference: str, *, declined: bool = False) -> SandboxOrder:
    """Somebody pressed the button on the page. A paid order stays paid."""
    order = SandboxOrder.objects.select_for_update().get(pk=reference)
    if order.state == "paid":
        return order
    refused = declined or order.behaviour == "declined"
    order.state = "declined" if refused else "paid"
    order.paid_at = None if refused else clock.now()
    order.save(update_fields=["state", "paid_at"])
    return order


@transaction.atomic
def _count_try(reference: str) -> SandboxOrder:
    SandboxOrder.objects.filter(pk=reference).update(tries=F("tries") + 1)
    return find_order(reference)


def give_back(reference: str, key: str, amount: Decimal) -> SandboxRefund:
    """Refund part of an order; the same key again finds the first."""
    order = _count_try(reference)
    if order.behaviour == "refund-down" and order.tries <= REFUSALS_BEFORE_REFUND:
        raise GatewayAway("The sandbox was told to be down for refunds.")
    if order.behaviour == "refund-refused":
        raise GatewayRefused("told-to-refuse")
    with transaction.atomic():
        locked = SandboxOrder.objects.select_for_update().get(pk=reference)
        known = SandboxRefund.objects.filter(key=key).first()
        if known is not None:
            return known
        given = locked.refunds.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
        if locked.state != "paid" or given + amount > captured_amount(locked):
            raise GatewayRefused("more-than-was-paid")
        return SandboxRefund.objects.create(
            id=f"sbr_{secrets.token_urlsafe(20)}", order=locked, key=key, amount=amount
        )


def books_of(day: date) -> tuple[Mapping[str, Decimal], Decimal]:
    """Captured amounts by order, and the sum of refunds, of one day (UTC)."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    window = (start, start + timedelta(days=1) - timedelta.resolution)
    paid = SandboxOrder.objects.filter(state="paid", paid_at__range=window)
    back = SandboxRefund.objects.filter(created_at__range=window).aggregate(sum=Sum("amount"))[
        "sum"
    ]
    return {order.pk: captured_amount(order) for order in paid}, back or Decimal(0)

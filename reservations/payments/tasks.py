"""Celery's doors into payments, and the sandbox's postman. Each may be late, doubled or absent."""

import logging
import secrets
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import msgspec
import requests
from celery import Task, shared_task
from django.conf import settings
from django.db import transaction

from config import clock
from reservations.payments.gateways.port import MessageKind
from reservations.payments.gateways.sandbox import SIGNATURE, Notice, sign
from reservations.payments.models import SandboxOrder
from reservations.payments.sandbox import captured_amount
from reservations.payments.services import ask_gateways as asking
from reservations.payments.services import send_refunds as refunding

logger = logging.getLogger(__name__)
LATE_SECONDS: Final = 5
POSTMAN_TIMEOUT_SECONDS: Final = 10


@shared_task
def finish_captured() -> None:
    asking.finish_captured()


@shared_task
def ask_gateways() -> None:
    asking.ask_gateways()


@shared_task
def send_refunds() -> None:
    refunding.send_refunds()


@shared_task
def compare_yesterday() -> None:
    asking.compare_day((datetime.now(UTC) - timedelta(days=1)).date())


@shared_task(bind=True, max_retries=8)
def deliver(self: "Task[[str], None]", body: str) -> None:
    """Bring a notice of the sandbox to our webhook; signed when sent, tried again when refused."""
    sent = body.encode()
    headers = {
        "Content-Type": "application/json",
        SIGNATURE: sign(sent, int(clock.now().timestamp())),
    }
    url = f"{settings.ENV.public_url}/api/v1/payments/webhooks/sandbox/"
    try:
        answer = requests.post(url, sent, headers=headers, timeout=POSTMAN_TIMEOUT_SECONDS)
        answer.raise_for_status()
    except requests.RequestException as failed:
        raise self.retry(exc=failed, countdown=min(60, 2**self.request.retries)) from failed


def notices(order: SandboxOrder) -> list[tuple[str, int]]:
    """What the sandbox will send about an order, and after how many seconds each."""
    captured = _notice(order, "captured" if order.state == "paid" else "failed")
    match order.behaviour:
        case "silent":
            return []
        case "late":
            return [(captured, LATE_SECONDS)]
        case "twice":
            return [(captured, 0), (captured, 1)]
        case "out-of-order" if order.state == "paid":
            return [(captured, 0), (_notice(order, "failed"), 1)]
        case _:
            return [(captured, 0)]


def notify(order: SandboxOrder) -> None:
    """Send the notices once what they tell has committed."""
    for body, seconds in notices(order):
        transaction.on_commit(partial(deliver.apply_async, (body,), countdown=seconds))


def _notice(order: SandboxOrder, kind: MessageKind) -> str:
    notice = Notice(
        id=f"evt_{secrets.token_urlsafe(12)}",
        kind=kind,
        payment=order.payment,
        reference=order.pk,
        amount=captured_amount(order),
        currency=order.currency,
    )
    return msgspec.json.Encoder(decimal_format="string").encode(notice).decode()

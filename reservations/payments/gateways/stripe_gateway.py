"""Stripe: PaymentIntents through the official SDK.

The client finishes the payment with `next.client_secret` and Stripe's own form, so that no card
data comes near us. Our payment id travels in the intent's metadata and is the idempotency key.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Final

import stripe
from django.conf import settings

from config.errors import Invalid
from reservations.payments.gateways import port

_KINDS: Final[dict[str, port.MessageKind]] = {
    "payment_intent.succeeded": "captured",
    "payment_intent.payment_failed": "failed",
    "payment_intent.canceled": "failed",
}
_REFUNDS: Final = {"succeeded": "refunded", "failed": "refund-failed", "canceled": "refund-failed"}
_REFUND_STATES: Final = {"succeeded": "done", "failed": "failed", "canceled": "failed"}


@cache
def _client() -> stripe.StripeClient:
    env = settings.ENV
    return stripe.StripeClient(
        env.stripe_secret_key,
        base_addresses={"api": env.stripe_base_url} if env.stripe_base_url else None,
        max_network_retries=1,
        http_client=stripe.RequestsClient(timeout=env.gateway_timeout_seconds),
    )


def _call(act: Any) -> Any:
    """Run one SDK call; its errors become one of our two kinds of no."""
    try:
        return act()
    except (stripe.APIConnectionError, stripe.RateLimitError, stripe.IdempotencyError) as away:
        raise port.GatewayAway(f"Stripe cannot be asked: {away.code or 'no connection'}.") from away
    except stripe.StripeError as error:
        if error.http_status is None or error.http_status >= 500:
            raise port.GatewayAway("Stripe has trouble.") from error
        raise port.GatewayRefused(error.code or "refused") from error


class StripeGateway:
    """See `port.Gateway`."""

    name = "stripe"

    def create(self, order: port.Order) -> port.Started:
        intent = _call(
            lambda: _client().v1.payment_intents.create(
                {
                    "amount": port.minor_units(order.amount, order.currency),
                    "currency": order.currency.lower(),
                    "description": order.description,
                    "metadata": {"payment": order.payment},
                    "automatic_payment_methods": {"enabled": True},
                },
                {"idempotency_key": order.payment},
            )
        )
        return port.Started(
            reference=intent.id,
            next_step={
                "type": "stripe",
                "client_secret": intent.client_secret,
                "publishable_key": settings.ENV.stripe_publishable_key,
            },
        )

    def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> port.Message:
        try:
            event = stripe.Webhook.construct_event(
                body,
                headers.get("Stripe-Signature"),
                settings.ENV.stripe_webhook_secret,
                port.TOLERANCE_SECONDS,
            )
        except stripe.SignatureVerificationError as wrong:
            raise port.WrongSignature from wrong
        except ValueError as wrong:
            raise Invalid({"body": ["Not a Stripe event."]}) from wrong
        try:
            return _message(event)
        except (AttributeError, KeyError, TypeError) as wrong:
            raise Invalid({"body": ["Not a Stripe event."]}) from wrong

    def ask(self, reference: str) -> port.Report:
        intent = _call(lambda: _client().v1.payment_intents.retrieve(reference))
        if intent.status == "succeeded":
            currency = intent.currency.upper()
            amount = port.main_units(intent.amount_received, currency)
            return port.Report(state="captured", amount=amount, currency=currency)
        return port.Report(state="failed" if intent.status == "canceled" else "created")

    def refund(
        self, *, reference: str, refund: str, amount: Decimal, currency: str
    ) -> port.RefundReport:
        made = _call(
            lambda: _client().v1.refunds.create(
                {
                    "payment_intent": reference,
                    "amount": port.minor_units(amount, currency),
                    "metadata": {"refund": refund},
                },
                {"idempotency_key": refund},
            )
        )
        state: Any = _REFUND_STATES.get(made.status, "pending")
        return port.RefundReport(state=state, reference=made.id, reason=made.failure_reason or "")

    def totals(self, day: date) -> port.Totals:
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        created = {
            "gte": int(start.timestamp()),
            "lt": int((start + timedelta(days=1)).timestamp()),
        }
        params: Any = {"created": created, "limit": 100}
        captured = {}
        for charge in _call(lambda: _client().v1.charges.list(params)).auto_paging_iter():
            if charge.paid and charge.payment_intent:
                currency = charge.currency.upper()
                captured[str(charge.payment_intent)] = port.main_units(
                    charge.amount_captured, currency
                )
        refunds = _call(lambda: _client().v1.refunds.list(params)).auto_paging_iter()
        back = (port.main_units(each.amount, each.currency.upper()) for each in refunds)
        return port.Totals(captured=captured, refunded=sum(back, Decimal(0)))


def _message(event: stripe.Event) -> port.Message:
    thing: Any = event.data.object
    if isinstance(thing, stripe.PaymentIntent) and event.type in _KINDS:
        kind = _KINDS[event.type]
        currency = thing.currency.upper()
        trouble = thing.last_payment_error
        return port.Message(
            event_id=event.id,
            kind=kind,
            payment=_ours(thing, "payment"),
            reference=thing.id,
            amount=port.main_units(thing.amount_received, currency) if kind == "captured" else None,
            currency=currency,
            reason=(trouble.code or "") if trouble else "",
        )
    if isinstance(thing, stripe.Refund) and thing.status in _REFUNDS:
        currency = thing.currency.upper()
        kind_of_refund: Any = _REFUNDS[thing.status]
        return port.Message(
            event_id=event.id,
            kind=kind_of_refund,
            reference=str(thing.payment_intent or ""),
            refund=_ours(thing, "refund"),
            refund_reference=thing.id,
            amount=port.main_units(thing.amount, currency),
            currency=currency,
            reason=thing.failure_reason or "",
        )
    return port.Message(event_id=event.id, kind="other")


def _ours(thing: Any, name: str) -> str:
    """What we wrote into an object's metadata."""
    metadata = thing.metadata
    return str(metadata[name]) if metadata and name in metadata else ""

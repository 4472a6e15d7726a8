"""Razorpay: orders through the official SDK.

The client pays the order with `next.order_id` and Razorpay's checkout, so that no card data comes
near us. Our payment id is the order's receipt. Razorpay does not refuse a second order with the
same receipt, so `create` looks for the first one before it makes another.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache, partial
from typing import Any, Final

import msgspec
import razorpay
import requests
from django.conf import settings
from razorpay.errors import BadRequestError, GatewayError, ServerError, SignatureVerificationError

from config import clock
from config.errors import Invalid
from reservations.payments.gateways import port

_KINDS: Final[dict[str, port.MessageKind]] = {
    "payment.captured": "captured",
    "payment.failed": "failed",
    "refund.processed": "refunded",
    "refund.failed": "refund-failed",
}
_REFUND_STATES: Final = {"processed": "done", "failed": "failed"}
_PAGE: Final = 100


@cache
def _client() -> Any:
    env = settings.ENV
    session = requests.Session()
    # The SDK passes no time-out of its own.
    session.request = partial(session.request, timeout=env.gateway_timeout_seconds)  # type: ignore[method-assign]
    options = {"base_url": env.razorpay_base_url} if env.razorpay_base_url else {}
    return razorpay.Client(
        session=session, auth=(env.razorpay_key_id, env.razorpay_key_secret), **options
    )


def _call(act: Any) -> Any:
    """Run one SDK call; its errors become one of our two kinds of no."""
    try:
        return act()
    except (requests.RequestException, ServerError, GatewayError) as away:
        raise port.GatewayAway("Razorpay cannot be asked.") from away
    except BadRequestError as refused:
        raise port.GatewayRefused(str(refused) or "refused") from refused


class RazorpayGateway:
    """See `port.Gateway`."""

    name = "razorpay"

    def create(self, order: port.Order) -> port.Started:
        known = _call(lambda: _client().order.all({"receipt": order.payment}))
        made = next(iter(known.get("items", ())), None) or _call(
            lambda: _client().order.create(
                {
                    "amount": port.minor_units(order.amount, order.currency),
                    "currency": order.currency,
                    "receipt": order.payment,
                    "notes": {"payment": order.payment, "about": order.description},
                }
            )
        )
        return port.Started(
            reference=made["id"],
            next_step={
                "type": "razorpay",
                "key_id": settings.ENV.razorpay_key_id,
                "order_id": made["id"],
                "amount": made["amount"],
                "currency": made["currency"],
            },
        )

    def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> port.Message:
        try:
            _client().utility.verify_webhook_signature(
                body.decode(),
                headers.get("X-Razorpay-Signature", ""),
                settings.ENV.razorpay_webhook_secret,
            )
        except (SignatureVerificationError, ValueError, TypeError) as wrong:
            raise port.WrongSignature from wrong
        try:
            event = msgspec.json.decode(body)
            message = _message(event, headers.get("X-Razorpay-Event-Id", ""))
            signed_at = int(event["created_at"])
        except (msgspec.DecodeError, LookupError, TypeError, ValueError, AttributeError) as wrong:
            raise Invalid({"body": ["Not a Razorpay event."]}) from wrong
        if message.kind != "other" and clock.now().timestamp() - signed_at > _REPLAY_SECONDS:
            raise port.WrongSignature
        return message

    def ask(self, reference: str) -> port.Report:
        paid = _call(lambda: _client().order.payments(reference))["items"]
        for each in paid:
            if each["status"] in {"captured", "refunded"}:
                amount = port.main_units(each["amount"], each["currency"])
                return port.Report(state="captured", amount=amount, currency=each["currency"])
        return port.Report(state="created")

    def refund(
        self, *, reference: str, refund: str, amount: Decimal, currency: str
    ) -> port.RefundReport:
        payments = _call(lambda: _client().order.payments(reference))["items"]
        captured = [each for each in payments if each["status"] in {"captured", "refunded"}]
        if not captured:
            raise port.GatewayRefused("nothing-captured")
        made = _call(
            lambda: _client().payment.refund(
                captured[0]["id"],
                {
                    "amount": port.minor_units(amount, currency),
                    "receipt": refund,
                    "notes": {"refund": refund},
                },
                headers={"X-Refund-Idempotency": refund, "Content-Type": "application/json"},
            )
        )
        state: Any = _REFUND_STATES.get(made["status"], "pending")
        return port.RefundReport(state=state, reference=made["id"])

    def totals(self, day: date) -> port.Totals:
        captured = {
            each["order_id"]: port.main_units(each["amount"], each["currency"])
            for each in _pages("payment", day)
            if each["status"] in {"captured", "refunded"} and each["order_id"]
        }
        back = (port.main_units(each["amount"], each["currency"]) for each in _pages("refund", day))
        return port.Totals(captured=captured, refunded=sum(back, Decimal(0)))


_REPLAY_SECONDS: Final = 24 * 3600 + port.TOLERANCE_SECONDS
"""Razorpay signs no time of sending, and repeats a webhook for 24 hours; `created_at` is inside
the signed body, and an event kept before is known by its id.
"""


def _pages(what: str, day: date) -> Iterator[dict[str, Any]]:
    """All of a day's entities, a hundred at a time."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    window = {
        "from": int(start.timestamp()),
        "to": int((start + timedelta(days=1)).timestamp()) - 1,
        "count": _PAGE,
    }
    skip = 0
    while True:
        asked = {**window, "skip": skip}
        items = _call(lambda: getattr(_client(), what).all(asked))["items"]  # noqa: B023
        yield from items
        if len(items) < _PAGE:
            return
        skip += _PAGE


def _message(event: dict[str, Any], event_id: str) -> port.Message:
    kind = _KINDS.get(event["event"], "other")
    if kind == "other" or not event_id:
        return port.Message(event_id=event_id or "none", kind="other")
    paid = event["payload"]["payment"]["entity"]
    if kind in {"captured", "failed"}:
        return port.Message(
            event_id=event_id,
            kind=kind,
            payment=_note(paid, "payment"),
            reference=paid["order_id"] or "",
            amount=port.main_units(paid["amount"], paid["currency"])
            if kind == "captured"
            else None,
            currency=paid["currency"],
            reason=paid.get("error_code") or "",
        )
    back = event["payload"]["refund"]["entity"]
    return port.Message(
        event_id=event_id,
        kind=kind,
        reference=paid["order_id"] or "",
        refund=_note(back, "refund"),
        refund_reference=back["id"],
        amount=port.main_units(back["amount"], back["currency"]),
        currency=back["currency"],
    )


def _note(entity: dict[str, Any], name: str) -> str:
    """A note of ours; Razorpay writes "no notes" as an empty list."""
    notes = entity.get("notes") or {}
    return str(notes.get(name, ""))

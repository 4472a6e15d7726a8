"""The port every payment gateway fits: four calls, one reader of webhooks, two kinds of no.

Amounts are exact decimals of the main unit ("890.00"); an adapter turns them into what its gateway
wants. Every call that moves money carries a key of ours, so that asking twice moves it once.
docs/PAYMENTS.md shows how to add a gateway.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final, Literal, Protocol

from babel.numbers import get_currency_precision

from config.errors import Invalid, StoreUnavailable

MessageKind = Literal["captured", "failed", "refunded", "refund-failed", "other"]
TOLERANCE_SECONDS: Final = 300
"""A webhook signed longer ago is refused: it may be an old one played again."""


class GatewayAway(StoreUnavailable):
    """No answer, or one that says try later: nothing is known, ask again with the same key."""


class GatewayRefused(Exception):
    """A definite no. `reason` is the gateway's own code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason[:60]


class WrongSignature(Invalid):
    """A webhook that its gateway did not sign, or signed too long ago."""

    def __init__(self) -> None:
        super().__init__({"signature": ["The signature does not fit this body."]})


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be paid. `payment` is ours, unique for ever: the idempotency key."""

    payment: str
    amount: Decimal
    currency: str
    description: str
    return_url: str
    method: str = ""


@dataclass(frozen=True, kw_only=True)
class Started:
    """The gateway's name for it, and what the client needs to pay."""

    reference: str
    next_step: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a gateway says of a payment, when asked."""

    state: Literal["created", "captured", "failed"]
    amount: Decimal | None = None
    currency: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class RefundReport:
    """What a gateway says of a refund."""

    state: Literal["pending", "done", "failed"]
    reference: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Message:
    """A webhook, verified and read. `payment` and `refund` are our own ids, where it carries them;
    `amount` is what was captured or given back.
    """

    event_id: str
    kind: MessageKind
    payment: str = ""
    reference: str = ""
    refund: str = ""
    refund_reference: str = ""
    amount: Decimal | None = None
    currency: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Totals:
    """A day (UTC) as the gateway has it: captured amounts by reference, and all that went back."""

    captured: Mapping[str, Decimal] = field(default_factory=dict)
    refunded: Decimal = Decimal(0)


class Gateway(Protocol):
    """One gateway. Every call raises `GatewayAway` or `GatewayRefused`."""

    name: str

    def create(self, order: Order) -> Started:
        """Open a payment; the same `order.payment` again gives the same one."""

    def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> Message:
        """Verify and read a webhook. Raises `WrongSignature` and `Invalid`."""

    def ask(self, reference: str) -> Report:
        """How a payment stands."""

    def refund(
        self, *, reference: str, refund: str, amount: Decimal, currency: str
    ) -> RefundReport:
        """Give money back; the same `refund` again gives the same one."""

    def totals(self, day: date) -> Totals:
        """What was captured and given back on that day."""


def minor_units(amount: Decimal, currency: str) -> int:
    """An amount in the currency's smallest unit: INR 890.50 is 89050, JPY 890 is 890.

    Raises `AssertionError` if the currency has no coin that small.
    """
    minor = amount.scaleb(get_currency_precision(currency))
    assert minor == minor.to_integral_value(), f"{currency} has no coin for {amount}"  # noqa: S101
    return int(minor)


def main_units(minor: int, currency: str) -> Decimal:
    """The inverse of `minor_units`, exact."""
    return Decimal(minor).scaleb(-get_currency_precision(currency))

"""The sandbox gateway: works offline, and can be told to behave badly.

Its page and its books (`SandboxOrder`) stand in for a company elsewhere; this adapter speaks to it
through `reservations.payments.sandbox`. `method` tells it how to behave:

    card           pays, and says so at once (also when no method is given)
    declined       says no
    slow           answers `create` after two seconds
    down           does not answer `create`
    twice          sends each webhook twice
    late           sends the webhook five seconds after the payment
    out-of-order   sends a "failed" after the "captured"
    silent         pays and never says so: only asking finds out
    short          captures one unit less than asked for
    refund-down    does not answer the first two times money is asked back
    refund-refused refuses to give money back
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

import msgspec
from django.conf import settings

from config import clock
from config.errors import Invalid
from reservations.payments import sandbox
from reservations.payments.gateways import port

SIGNATURE: Final = "Seatlock-Sandbox-Signature"


class Notice(msgspec.Struct, frozen=True):
    """The sandbox's webhook body."""

    id: str
    kind: port.MessageKind
    payment: str
    reference: str
    amount: Decimal
    currency: str
    refund: str = ""
    refund_reference: str = ""


_decode = msgspec.json.Decoder(Notice).decode


def sign(body: bytes, at: int) -> str:
    """The signature header of a webhook sent at `at` (seconds since the epoch)."""
    secret = settings.ENV.sandbox_webhook_secret or settings.SECRET_KEY
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
    return f"t={at},v1={mac.hexdigest()}"


class SandboxGateway:
    """See `port.Gateway`."""

    name = "sandbox"

    def create(self, order: port.Order) -> port.Started:
        made = sandbox.open_order(order)
        page = f"{settings.ENV.public_url}/sandbox/pay/{made.id}/"
        return port.Started(reference=made.id, next_step={"type": "redirect", "url": page})

    def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> port.Message:
        given = headers.get(SIGNATURE, "")
        stamp = given.partition("t=")[2].partition(",")[0]
        at = int(stamp) if stamp.isascii() and stamp.isdigit() and len(stamp) < 12 else 0
        fits = hmac.compare_digest(sign(body, at).encode(), given.encode())
        if not fits or abs(clock.now().timestamp() - at) > port.TOLERANCE_SECONDS:
            raise port.WrongSignature
        try:
            notice = _decode(body)
        except msgspec.DecodeError as wrong:
            raise Invalid({"body": ["Not an event of the sandbox."]}) from wrong
        fields = msgspec.structs.asdict(notice)
        return port.Message(event_id=fields.pop("id"), **fields)

    def ask(self, reference: str) -> port.Report:
        order = sandbox.find_order(reference)
        if order.state == "paid":
            amount = sandbox.captured_amount(order)
            return port.Report(state="captured", amount=amount, currency=order.currency)
        return port.Report(state="failed" if order.state == "declined" else "created")

    def refund(
        self, *, reference: str, refund: str, amount: Decimal, currency: str
    ) -> port.RefundReport:
        del currency
        made = sandbox.give_back(reference, refund, amount)
        return port.RefundReport(state="done", reference=made.id)

    def totals(self, day: date) -> port.Totals:
        captured, refunded = sandbox.books_of(day)
        return port.Totals(captured=captured, refunded=refunded)

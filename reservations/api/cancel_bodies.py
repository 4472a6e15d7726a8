"""What the calls that cancel take and give."""

from decimal import Decimal
from typing import Annotated

import msgspec

from reservations.api.bodies import Label, Money
from reservations.bookings.quote import Quote
from reservations.services.cancel_booking import Cancelled


class CancelBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Seats of the booking; left out or null: all it has."""

    seats: Annotated[tuple[Label, ...], msgspec.Meta(max_length=100)] | None = None


class StaffCancelBody(
    CancelBody, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True
):
    """`refund`: how much goes back whatever the rules say (0 to what the seats cost); left out or
    null: what the rules give. `reason` is kept.
    """

    reason: Annotated[str, msgspec.Meta(min_length=3, max_length=200)]
    refund: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,10}(\.[0-9]{1,2})?$")] | None = None


class RefundBody(msgspec.Struct, frozen=True):
    amount: Decimal
    currency: str
    rule: str


class CancelledBody(msgspec.Struct, frozen=True):
    """`status` stays confirmed while the booking has seats; `seats` are those given back."""

    pnr: str
    status: str
    seats: tuple[str, ...]
    refund: RefundBody


class QuoteBody(msgspec.Struct, frozen=True):
    """What cancelling would come to now: of the `fare` of `seats` so much goes back, `kept` does
    not. `ends_booking`: no seat would be left.
    """

    pnr: str
    seats: tuple[str, ...]
    ends_booking: bool
    fare: Money
    kept: Money
    refund: RefundBody


def cancelled_body(done: Cancelled) -> CancelledBody:
    refund = RefundBody(done.refund, done.currency, done.rule)
    return CancelledBody(done.pnr, done.status, done.seats, refund)


def quote_body(quote: Quote) -> QuoteBody:
    return QuoteBody(
        pnr=quote.pnr,
        seats=quote.seats,
        ends_booking=quote.ends_booking,
        fare=Money(quote.fare, quote.currency),
        kept=Money(quote.kept, quote.currency),
        refund=RefundBody(quote.refund, quote.currency, quote.rule),
    )

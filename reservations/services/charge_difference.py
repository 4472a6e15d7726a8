"""A change that costs more than what was paid: a seam for whoever takes the difference.

The change is made when the money is there (`payments.services.finish_change`); until then the new
seats are held for the payment window, and the old ones are the traveller's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings

from reservations.bookings.exchange import Exchange
from reservations.errors import PaymentRequired
from reservations.services.hold_seats import Owner


@dataclass(frozen=True, kw_only=True)
class Due:
    """What is to be paid first, until when, and what the client does to pay (`next_step`)."""

    payment: str
    amount: Decimal
    currency: str
    next_step: dict[str, Any]
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class How:
    """By which gateway ("": the first that is offered), and its own word for the way to pay."""

    provider: str = ""
    method: str = ""


Charge = Callable[[Owner, Exchange, How], Due]
_charges: list[Charge] = []


def register(charge: Charge) -> None:
    """`charge(owner, new, how)` begins the payment, or finds the one begun for this hold."""
    if charge not in _charges:
        _charges.append(charge)


def charge_difference(owner: Owner, new: Exchange, how: How) -> Due:
    """Raises `PaymentRequired` (nobody takes money here), and what the gateway's adapter raises."""
    for charge in _charges:
        return charge(owner, new, how)
    raise PaymentRequired(new.difference, settings.ENV.currency)

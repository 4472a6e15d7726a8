"""Money on its way back to who booked: a seam for whoever takes it.

The engine decides how much goes back, in the transaction that frees the seats; an app that takes
money registers here and owes it in the same transaction, so that there is never one without the
other. Without such an app, or for a booking nobody paid here, money is given back by hand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Protocol

from reservations.models import Booking, Cancellation
from trains.fares import ZERO

NONE: Final = "none"
BY_HAND: Final = "by-hand"


@dataclass(frozen=True, kw_only=True)
class RefundStand:
    """How a refund stands. `status`: none (nothing goes back), by-hand (no payment went through a
    gateway), or the gateway's side: due, pending, done, failed. `reference` is the gateway's.
    """

    amount: Decimal
    status: str
    reference: str = ""


class Treasurer(Protocol):
    """Who keeps the money of bookings. Called with the booking's row locked."""

    def kept(self, booking: Booking) -> Decimal:
        """How much of what was paid for a booking is still here and not owed back."""

    def owe(
        self, booking: Booking, amount: Decimal, reason: str, cancellation: Cancellation | None
    ) -> None:
        """Owe so much of it back, in the caller's transaction."""

    def stands(self, cancellations: Sequence[Cancellation]) -> Mapping[int, RefundStand]:
        """How the refunds of these stand, by the cancellation's primary key; one query."""


_treasurers: list[Treasurer] = []


def register(treasurer: Treasurer) -> None:
    if treasurer not in _treasurers:
        _treasurers.append(treasurer)


def paid_here(booking: Booking) -> Decimal:
    """What could go back through gateways."""
    return sum((each.kept(booking) for each in _treasurers), ZERO)


def give_back(
    *, booking: Booking, amount: Decimal, reason: str, cancellation: Cancellation | None = None
) -> Decimal:
    """Owe `amount` back for a booking; how much of it goes through gateways, the rest is by hand.

    Runs in the caller's transaction, which holds the booking's lock: whoever locks more locks the
    booking first, then its payments, then their refunds.
    """
    left = amount
    for treasurer in _treasurers:
        part = min(left, treasurer.kept(booking))
        if part > 0:
            treasurer.owe(booking, part, reason, cancellation)
            left -= part
    return amount - left


def stands_of(cancellations: Sequence[Cancellation]) -> dict[int, RefundStand]:
    """How the refund of each stands, by primary key; a fixed number of queries."""
    known: dict[int, RefundStand] = {}
    for treasurer in _treasurers if cancellations else ():
        known |= treasurer.stands(cancellations)
    return {
        each.pk: known.get(each.pk)
        or RefundStand(amount=each.refund, status=BY_HAND if each.refund else NONE)
        for each in cancellations
    }

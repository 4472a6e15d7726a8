"""What a cancellation gives back, for showing it before the click."""

from dataclasses import dataclass
from decimal import Decimal

from reservations.models import Booking


@dataclass(frozen=True)
class Refund:
    """Of `paid`, `amount` comes back; `rule` names why."""

    paid: Decimal
    amount: Decimal
    currency: str
    rule: str

    @property
    def kept(self) -> Decimal:
        return self.paid - self.amount


def refund_of(booking: Booking) -> Refund:
    """The refund if the booking were cancelled now."""
    return Refund(paid=booking.fare, amount=Decimal("0.00"), currency=booking.currency, rule="none")

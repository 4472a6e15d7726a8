"""What a cancellation gives back, for showing it before the click."""

from dataclasses import dataclass
from decimal import Decimal

from reservations.models import Booking
from reservations.services.cancel_booking import quote_cancellation


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
    """The refund if the booking were cancelled now. Raises as `quote_cancellation`."""
    quoted = quote_cancellation(actor=booking.owner_id or 0, as_staff=False, pnr=booking.pnr or "")
    return Refund(quoted.fare, quoted.refund, quoted.currency, quoted.rule)

"""The payments' side of a cancellation: how much is still here, what is owed back, how that stands.

Called with the booking's row locked (`reservations.bookings.money_back`). Of several payments of
one booking the latest gives first, none more than it took.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal

from reservations.bookings.money_back import RefundStand
from reservations.models import Booking, Cancellation
from reservations.payments.models import Payment, Refund
from reservations.payments.services.record import owe, owed
from reservations.payments.states import PaymentState, RefundState
from trains.fares import ZERO

# What a refund in several parts is called by: the part that is furthest from its end.
_FURTHEST = (RefundState.FAILED, RefundState.DUE, RefundState.PENDING, RefundState.DONE)


class PaymentsOfBookings:
    """See `money_back.Treasurer`."""

    def kept(self, booking: Booking) -> Decimal:
        paid = Payment.objects.filter(booking=booking, state=PaymentState.CAPTURED)
        return sum((_left(payment) for payment in paid), ZERO)

    def owe(
        self, booking: Booking, amount: Decimal, reason: str, cancellation: Cancellation | None
    ) -> None:
        """Raises `AssertionError` for more than is kept."""
        paid = Payment.objects.select_for_update().filter(
            booking=booking, state=PaymentState.CAPTURED
        )
        for payment in paid.order_by("-captured_at", "pk"):
            part = min(amount, _left(payment))
            if part > 0:
                owe(payment, amount=part, reason=reason, cancellation=cancellation)
                amount -= part
        assert amount == 0, "more than was kept"  # noqa: S101

    def stands(self, cancellations: Sequence[Cancellation]) -> Mapping[int, RefundStand]:
        refunds: defaultdict[int, list[Refund]] = defaultdict(list)
        for refund in Refund.objects.filter(cancellation__in=cancellations).order_by("created_at"):
            refunds[refund.cancellation_id or 0].append(refund)
        return {pk: _stand(parts) for pk, parts in refunds.items()}


def _left(payment: Payment) -> Decimal:
    return (payment.captured_amount or ZERO) - owed(payment)


def _stand(parts: Sequence[Refund]) -> RefundStand:
    states = {RefundState(part.state) for part in parts}
    return RefundStand(
        amount=sum((part.amount for part in parts), ZERO),
        status=next(state.value for state in _FURTHEST if state in states),
        reference=", ".join(part.reference for part in parts if part.reference),
    )

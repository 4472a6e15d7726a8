"""A small train that is full, and people who pay for their place on the waitlist."""

from decimal import Decimal
from typing import Any

from django.db.models import Sum

from reservations.models import Booking
from reservations.payments.models import Payment
from tests.engine import Traveller
from tests.payments.paying import pay
from tests.waitlist.conftest import (  # noqa: F401  # fixtures
    chart_in,
    commits,
    run,
    sold,
)


def begin(who: Traveller, entry: str, **more: Any) -> Payment:
    answer = who.post("payments/", {"entry": entry, "provider": "sandbox", **more})
    assert answer.status_code == 201, answer.content
    return Payment.objects.get(pk=answer.json()["payment"])


def prepay(who: Traveller, entry: str, **more: Any) -> Payment:
    """Begin, pay and bring the notices."""
    return pay(begin(who, entry, **more))


def stands(payment: Payment) -> tuple[str, str]:
    payment.refresh_from_db()
    return payment.state, payment.outcome


def agrees(payment: Payment) -> bool:
    """Captured = booked + given back, to the cent; while it is kept nothing is either."""
    payment.refresh_from_db()
    back = payment.refunds.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
    booked = payment.booking.fare if payment.booking is not None else Decimal(0)
    if payment.outcome == "kept":
        return booked == back == 0
    return payment.captured_amount == booked + back


def bookings_of(who: Traveller) -> int:
    return Booking.objects.filter(owner=who.user, status="confirmed").count()

"""Payments change hands with the bookings they became, when an account proves to be the guest."""

from collections.abc import Sequence

from reservations.payments.models import Payment
from reservations.payments.states import Outcome


def move_payments(owners: Sequence[int], account: int) -> list[str]:
    """The payments of these accounts are that account's from now on; nothing to name in a fact.

    Those that are not decided stay: their holds name the owner, and only he can have them booked.
    """
    Payment.objects.filter(owner__in=owners).exclude(outcome=Outcome.NONE).update(owner=account)
    return []

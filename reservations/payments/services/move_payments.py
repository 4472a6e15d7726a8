"""Payments change hands with the bookings they became, when an account proves to be the guest."""

from collections.abc import Sequence

from django.db.models import Q

from reservations.payments.models import Payment
from reservations.payments.states import Outcome, Purpose


def move_payments(owners: Sequence[int], account: int) -> list[str]:
    """The payments of these accounts are that account's from now on; nothing to name in a fact.

    Those for holds that are not decided stay: their holds name the owner, and only he can have them
    booked. An entry of the waitlist changes hands itself, and its money with it.
    """
    stay = Q(outcome=Outcome.NONE) & ~Q(purpose=Purpose.WAITLIST)
    Payment.objects.filter(owner__in=owners).exclude(stay).update(owner=account)
    return []

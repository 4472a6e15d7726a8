"""The passengers named with payments are erased with the account's others."""

from reservations.payments.models import Payment
from reservations.payments.states import Outcome, PaymentState


def erase_payers(user: int, *, journeys_to_come: bool) -> int:
    """Forget who was named; nobody is counted who is not counted with the seats.

    Of money that is not decided they are the journey to come, and its fare.
    """
    named = Payment.objects.filter(owner=user).exclude(passengers=[])
    if not journeys_to_come:
        named = named.exclude(state=PaymentState.CREATED).exclude(
            state=PaymentState.CAPTURED, outcome=Outcome.NONE
        )
    named.update(passengers=[])
    return 0

"""Payment, where it is installed: begin one for a hold, and see what became of it.

The app may be left out (APPS_LEFT_OUT), so its modules are imported where they are used.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.apps import apps
from django.conf import settings

from config.errors import NotFound
from reservations.bookings.passengers import Passenger
from reservations.services.hold_view import HoldView
from web.visitor import Visitor

SANDBOX: Final = "sandbox"


@dataclass(frozen=True)
class PaymentSeen:
    """A payment as its owner sees it. `pay_url`: where to pay; `pnr`: the booking it became;
    `entry`: the place on the waitlist that it is for, and `is_kept` for it.
    """

    id: str
    state: str
    amount: Decimal
    currency: str
    pay_url: str
    pnr: str
    is_over: bool
    was_returned: bool
    entry: str = ""
    is_kept: bool = False


def is_paid_for(hold: HoldView) -> bool:
    """Whether this hold is paid for before it becomes a booking; what costs nothing is not."""
    is_offered = apps.is_installed("reservations.payments")
    return is_offered and SANDBOX in settings.ENV.payment_providers and hold.fare > 0


def begin(visitor: Visitor, hold: str, passengers: Sequence[Passenger]) -> str:
    """Begin the payment for my hold, or find the one begun; its id. Raises what
    `start_payment` does.
    """
    from reservations.payments.services.start_payment import start_payment

    payment = start_payment(owner=visitor.owner, hold=hold, provider=SANDBOX, passengers=passengers)
    return str(payment.pk)


def see(visitor: Visitor, payment: UUID) -> PaymentSeen:
    """My payment. Raises `NotFound`."""
    if not apps.is_installed("reservations.payments"):
        raise NotFound("There is no such payment")
    from reservations.payments.models import Payment
    from reservations.payments.states import Outcome, PaymentState

    found = Payment.objects.filter(pk=payment, owner=visitor.id).select_related("booking").first()
    if found is None:
        raise NotFound("There is no such payment")
    step: dict[str, Any] = found.next_step
    is_returned = found.outcome == Outcome.RETURNED
    return PaymentSeen(
        id=str(found.pk),
        state=found.state,
        amount=found.amount,
        currency=found.currency,
        pay_url=step.get("url", "") if found.state == PaymentState.CREATED else "",
        pnr=(found.booking.pnr or "") if found.booking else "",
        is_over=bool(found.outcome) or found.state == PaymentState.FAILED,
        was_returned=is_returned,
        entry=_entry_of(found),
        is_kept=found.outcome == Outcome.KEPT,
    )


def _entry_of(payment: Any) -> str:
    """The name of the entry that is prepaid, if it is for one."""
    if not apps.is_installed("reservations.prepaid"):
        return ""
    from reservations.prepaid.models import Prepayment

    found = Prepayment.objects.filter(payment=payment).select_related("entry").first()
    return str(found.entry.key) if found else ""

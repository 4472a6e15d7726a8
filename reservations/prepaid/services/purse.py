"""What becomes of the money when the place does: each runs in that transaction, its entry locked.

Lock order, here and in `finish_prepayment`: the entry, then the payment.

    entry booked    money kept ──> booked; what the seats cost less goes back
                    the booking is paid otherwise, or costs more ──> all goes back
    entry over      money kept ──> all goes back
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from reservations.models import Booking
from reservations.payments.models import Payment
from reservations.payments.services.record import decide, lock_payment, owe, return_all
from reservations.payments.states import Outcome
from reservations.prepaid.models import Prepayment
from reservations.waitlist.models import Entry
from reservations.waitlist.prepaid import Purse


def is_prepaid(entry: Entry, fare: Decimal) -> bool:
    """Whether money is kept for it that covers this fare."""
    return kept([entry]).get(entry.pk, Decimal(0)) >= fare > 0


def kept(entries: Sequence[Entry]) -> dict[int, Decimal]:
    """How much is kept for each, by primary key; one query."""
    rows = Prepayment.objects.filter(
        entry__in=[entry.pk for entry in entries], payment__outcome=Outcome.KEPT
    )
    found = rows.values_list("entry_id", "payment__captured_amount")
    return {entry: amount or Decimal(0) for entry, amount in found}


def spend(entry: Entry, booking: Booking) -> None:
    """The entry became this booking, by this money or by another's."""
    for payment in _kept_for(entry):
        pay_for(payment, booking)


def give_back(entry: Entry) -> None:
    """The entry ended without a booking."""
    for payment in _kept_for(entry):
        return_all(payment, "waitlist-over")


def pay_for(payment: Payment, booking: Booking) -> None:
    """Let captured money, not decided or kept, be this booking's, or go back; it is locked."""
    paid = payment.captured_amount or Decimal(0)
    if Payment.objects.filter(booking=booking).exists():
        return_all(payment, "paid-twice")
    elif booking.status != Booking.Status.CONFIRMED:
        return_all(payment, "booking-cancelled")
    elif paid < booking.fare or booking.fare == 0:
        return_all(payment, "fare-changed")
    else:
        payment.booking = booking
        decide(payment, Outcome.BOOKED)
        if paid > booking.fare:
            owe(payment, amount=paid - booking.fare, reason="fare-lower")


def _kept_for(entry: Entry) -> list[Payment]:
    begun = Prepayment.objects.filter(entry=entry).values_list("payment_id", flat=True)
    locked = [lock_payment(pk) for pk in begun.order_by("payment_id")]
    return [payment for payment in locked if payment.outcome == Outcome.KEPT]


PURSE: Final = Purse(is_prepaid=is_prepaid, give_back=give_back, kept=kept, spend=spend)

"""Captured money for a place on the waitlist: kept while the place is there, else decided at once.

    waiting                    kept
    offered meanwhile          kept, and the offer is booked with it
    confirmed meanwhile        the booking's, if it is not paid otherwise
    lapsed or left meanwhile   back

A process killed in between leaves the money undecided, and this is done again; killed after `kept`,
the tending of the waitlist books (`waitlist.services.tend_waitlists`).
"""

from django.db import transaction

from reservations.models import Booking
from reservations.payments.models import Payment
from reservations.payments.services.record import decide, lock_payment, return_all
from reservations.payments.states import Outcome, PaymentState
from reservations.prepaid.models import Prepayment
from reservations.prepaid.services.purse import kept, pay_for
from reservations.waitlist.models import Entry
from reservations.waitlist.record import is_in_queue, lock_entry
from reservations.waitlist.services.make_offer import book_offer_soon


def finish_prepayment(payment: Payment) -> Outcome:
    """Decide; safe to run late, twice or beside itself. Raises `DatabaseError`."""
    link = Prepayment.objects.get(payment=payment)
    with transaction.atomic():
        entry = lock_entry(link.entry_id)
        locked = lock_payment(payment.pk)
        if locked.state == PaymentState.CAPTURED and not locked.outcome:
            _decide(entry, locked)
    if locked.outcome == Outcome.KEPT:
        book_offer_soon(entry)
        locked.refresh_from_db(fields=["outcome"])
    return Outcome(locked.outcome)


def _decide(entry: Entry, locked: Payment) -> None:
    if is_in_queue(entry):
        if kept([entry]):
            return_all(locked, "paid-twice")
        else:
            decide(locked, Outcome.KEPT)
    elif entry.booking_id is not None:
        pay_for(locked, Booking.objects.select_for_update().get(pk=entry.booking_id))
    else:
        return_all(locked, "waitlist-over")

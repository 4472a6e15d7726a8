"""Prepay: money for a place on the waitlist, so that it becomes a booking without being asked.

    payer                web                           gateway          who serves
      | entry            |                               |                  |
      |----------------->| entry locked: row; COMMIT     |                  |
      |                  |-- create -------------------->|                  |
      |<-- next ---------|                               |                  |
      | pays there --------------------------------------|                  |
      |                  |<-- captured ------------------|                  |
      |                  | kept                                             |
      |                  |                  seats come free: held, booked --|
      |                  |                  or the place ends: money back --|

Two that begin for one entry wait for its row: the second finds the first.
"""

from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction

from config import clock
from config.errors import Invalid, NotFound
from reservations.availability.plans import Stretch, read_again
from reservations.bookings.passengers import Passenger
from reservations.errors import IllegalState
from reservations.payments.gateways.registry import offered
from reservations.payments.models import Payment
from reservations.payments.services.open_payment import ask_gateway, end_unpaid, write_created
from reservations.payments.states import Outcome, PaymentState, Purpose
from reservations.prepaid.models import Prepayment
from reservations.services.hold_seats import Owner
from reservations.services.price_seats import price_group
from reservations.waitlist.models import Entry
from reservations.waitlist.record import find_own, lock_entry
from reservations.waitlist.states import EntryState
from trains.fares import ZERO


def prepay_entry(*, owner: Owner, name: str, provider: str, method: str = "") -> Payment:
    """The payment for my entry (by its name) that waits; a repeat with the same provider gives the
    same one.

    The amount is the fare of its seats today. Should it be lower when seats come free, the rest
    goes back; should it be higher, they are offered like to any other, and all goes back.
    Raises `NotFound` (not mine), `IllegalState` (it does not wait any more, or is paid for),
    `Invalid` (provider, nothing to pay), `FareMissing`, `GatewayAway`.
    """
    chosen = offered(provider)
    found = find_own(owner.user, name)
    if found is None:
        raise NotFound("There is no such entry")
    fare = price_entry(found)
    if not fare:
        raise Invalid({"entry": ["There is nothing to pay: the seats cost nothing."]})
    with transaction.atomic():
        entry = lock_entry(found.pk)
        _refuse_if_over(entry)
        payment = _begun(entry, chosen.name, fare)
        if payment is None:
            payment = _new(owner, entry, chosen.name, method, fare)
            write_created(payment)
            Prepayment.objects.create(payment=payment, entry=entry)
    return ask_gateway(payment)


def price_entry(entry: Entry) -> Decimal:
    """What its seats cost today, concessions taken off. Raises `FareMissing`."""
    plan = read_again([entry.departure_id])[entry.departure_id]
    seats = plan.train.classes[entry.travel_class][: entry.count]
    people = [Passenger(**each) for each in entry.passengers]
    fares = price_group(plan, Stretch(entry.from_stop, entry.to_stop), list(seats), people)
    return sum((fare.total for fare in fares), ZERO)


def _refuse_if_over(entry: Entry) -> None:
    if entry.state == EntryState.OFFERED:
        raise IllegalState("Seats are held for it: pay for the offer's hold.", entry.state)
    if entry.state != EntryState.WAITING:
        raise IllegalState(f"The entry is {entry.state}.", entry.state)
    if entry.closes_at <= clock.now():
        raise IllegalState("The waitlist of this departure is closed.", EntryState.LAPSED)


def _begun(entry: Entry, provider: str, fare: Decimal) -> Payment | None:
    """The one begun for this much; another, not paid yet, ends. Raises `IllegalState`: paid."""
    found = None
    for payment in Payment.objects.filter(pk__in=entry.prepayments.values("payment")):
        if payment.state == PaymentState.CAPTURED and payment.outcome != Outcome.RETURNED:
            raise IllegalState("The entry is paid for.", payment.state)
        if payment.state != PaymentState.CREATED:
            continue
        if (payment.provider, payment.amount) == (provider, fare):
            found = payment
        else:
            end_unpaid(payment, reason="replaced")
    return found


def _new(owner: Owner, entry: Entry, provider: str, method: str, fare: Decimal) -> Payment:
    now = clock.now()
    window = timedelta(seconds=settings.ENV.payment_window_seconds)
    return Payment(
        purpose=Purpose.WAITLIST,
        owner_id=owner.user,
        departure_id=entry.departure_id,
        provider=provider,
        method=method,
        amount=fare,
        currency=settings.ENV.currency,
        acting=dict(owner.acting),
        expires_at=min(now + window, entry.closes_at),
        created_at=now,
    )

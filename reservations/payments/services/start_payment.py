"""Start a payment: the hold lives on for the payment window, once, and a gateway is asked.

The row is there before the gateway is asked, and the gateway gets its id as idempotency key: a
lost reply, a crash or an impatient client ends with one payment on either side.
"""

from collections.abc import Sequence

from django.conf import settings
from django.db import IntegrityError, transaction

from config import clock
from reservations.availability.plans import plan_of
from reservations.bookings.passengers import Passenger, to_json
from reservations.errors import HoldExpired, IllegalState
from reservations.holds import capabilities, ids, store
from reservations.holds.scripts import Outcome
from reservations.models import Booking
from reservations.payments.gateways.registry import offered
from reservations.payments.models import Payment
from reservations.payments.services.open_payment import ask_gateway, end_unpaid, write_created
from reservations.payments.states import PaymentState
from reservations.services.hold_seats import Owner
from reservations.services.name_passengers import passengers_of
from reservations.services.price_seats import price_booking
from trains.fares import ZERO


def start_payment(  # noqa: PLR0913  # what API.md's call is made of
    *,
    owner: Owner,
    hold: str,
    provider: str,
    method: str = "",
    allow_other_seats: bool = False,
    passengers: Sequence[Passenger] = (),
) -> Payment:
    """The payment for my hold; a repeat with the same provider gives the same one.

    The amount is the hold's fare for these passengers (none: those named with the lock).
    `allow_other_seats`: should the hold be over when the money comes, other seats of the same
    class will do. Another provider than before ends the older payment. Raises `NotFound` (not
    mine), `HoldExpired`, `IllegalState` (booked, or a confirm is under way), `Invalid`,
    `GatewayAway`.
    """
    ref = ids.read_own(hold, owner.user)
    chosen = offered(provider)
    if Booking.objects.filter(hold=hold).exclude(status=Booking.Status.VOID).exists():
        raise IllegalState("The hold is booked already.", "confirmed")
    known = Payment.objects.filter(hold=hold, state=PaymentState.CREATED).first()
    plan = plan_of(ref.departure)
    held = _prolong(ref, owner, first=not Payment.objects.filter(hold=hold).exists())
    if known is not None and known.provider == provider:
        return ask_gateway(known)
    people = passengers_of(plan, ref, held.member, passengers)
    fares = price_booking(plan, held.member, people)

    # From here the hold waits for the money.
    payment = Payment(
        hold=hold,
        owner_id=owner.user,
        departure_id=ref.departure,
        provider=chosen.name,
        method=method,
        amount=sum((fare.total for fare in fares), ZERO),
        currency=settings.ENV.currency,
        capability=capabilities.seal(held.capability),
        allow_other_seats=allow_other_seats,
        passengers=[to_json(each) for each in people],
        acting=dict(owner.acting),
        expires_at=held.member.expires_at,
        created_at=clock.now(),
    )
    return ask_gateway(_write(payment, instead_of=known))


def _prolong(ref: ids.HoldRef, owner: Owner, *, first: bool) -> store.Held:
    """The live hold, kept for the payment window if this is its first payment."""
    window_seconds = settings.ENV.payment_window_seconds
    answer = store.extend(
        ref,
        owner.sid,
        ttl_seconds=window_seconds if first else 0,
        cap_seconds=settings.ENV.hold_max_total_seconds + window_seconds,
        acting=owner.acting,
    )
    if answer.outcome is Outcome.PINNED:
        raise IllegalState("The hold is being confirmed.", "confirming")
    if answer.held is None:
        raise HoldExpired
    return answer.held


def _write(payment: Payment, *, instead_of: Payment | None) -> Payment:
    """Insert it; the other of two that start at once finds the first."""
    try:
        with transaction.atomic():
            if instead_of is not None:
                end_unpaid(instead_of, reason="replaced")
            write_created(payment)
    except IntegrityError:
        rival = Payment.objects.filter(hold=payment.hold, state=PaymentState.CREATED).first()
        if rival is None or rival.provider != payment.provider:
            raise IllegalState("Another payment for this hold has begun.", "created") from None
        return rival
    return payment

"""Start a payment: the hold lives on for the payment window, once, and a gateway is asked.

The row is there before the gateway is asked, and the gateway gets its id as idempotency key: a
lost reply, a crash or an impatient client ends with one payment on either side.
"""

from collections.abc import Sequence

from django.conf import settings

from config import clock
from reservations.availability.plans import plan_of
from reservations.bookings.passengers import Passenger, to_json
from reservations.errors import IllegalState
from reservations.holds import capabilities, ids
from reservations.models import Booking
from reservations.payments.gateways.registry import offered
from reservations.payments.models import Payment
from reservations.payments.services.open_payment import ask_gateway, prolong, write_once
from reservations.payments.states import PaymentState, Purpose
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
    held = prolong(ref, owner, first=not Payment.objects.filter(hold=hold).exists())
    if known is not None and known.provider == provider:
        return ask_gateway(known)
    if known is not None and known.purpose != Purpose.HOLD:
        raise IllegalState("The hold is for the change of a booking.", known.state)
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
    return ask_gateway(write_once(payment, instead_of=known))

"""Charge the difference of a change: the new seats are held for the payment window, once."""

from django.conf import settings

from config import clock
from reservations.bookings.exchange import Exchange
from reservations.errors import IllegalState
from reservations.holds import capabilities, ids
from reservations.payments.gateways.registry import offered
from reservations.payments.models import Payment
from reservations.payments.services.open_payment import ask_gateway, prolong, write_once
from reservations.payments.states import PaymentState, Purpose
from reservations.services.charge_difference import Due, How
from reservations.services.hold_seats import Owner


def charge_change(owner: Owner, new: Exchange, how: How) -> Due:
    """The payment of this exchange; for the same hold the same one.

    Raises `Invalid` (provider), `HoldExpired`, `IllegalState`, `GatewayAway`.
    """
    chosen = offered(how.provider or settings.ENV.payment_providers[0])
    ref = ids.read(new.member.hold)
    known = Payment.objects.filter(hold=ref.hold, state=PaymentState.CREATED).first()
    if known is not None and (known.purpose, known.provider) != (Purpose.CHANGE, chosen.name):
        raise IllegalState("Another payment for this hold has begun.", known.state)
    held = prolong(ref, owner, first=known is None)

    # From here the new seats wait for the money.
    payment = known or write_once(
        Payment(
            purpose=Purpose.CHANGE,
            hold=ref.hold,
            owner_id=owner.user,
            departure_id=ref.departure,
            provider=chosen.name,
            method=how.method,
            amount=new.difference,
            currency=settings.ENV.currency,
            capability=capabilities.seal(held.capability),
            changes_id=new.booking,
            gives_up=[row.pk for row in new.rows],
            acting=dict(owner.acting),
            expires_at=held.member.expires_at,
            created_at=clock.now(),
        ),
        instead_of=None,
    )
    ask_gateway(payment)
    return Due(
        payment=str(payment.pk),
        amount=payment.amount,
        currency=payment.currency,
        next_step=payment.next_step,
        expires_at=payment.expires_at,
    )

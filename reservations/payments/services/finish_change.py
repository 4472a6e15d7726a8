"""The difference of a change is there: the change is made, or the money goes back.

    hold alive (or known by its capability) ──────> old seats out, new seats in: one transaction
      over ── the same seats free ── locked again ──> the same
                └─ taken ────────────────────────────> money back, with the reason
    cancelled, boarded or changed otherwise meanwhile, or at another fare now ──> money back

The booking keeps its old seats until then, and whenever the money goes back.
"""

from collections.abc import Sequence

from config.errors import SeatlockError, StoreUnavailable
from reservations.bookings.exchange import Exchange
from reservations.errors import HoldExpired, IllegalState, SeatAlreadyBooked
from reservations.holds import capabilities, ids
from reservations.holds.members import Member, parse
from reservations.models import BookedSeat, Booking
from reservations.payments.models import Payment
from reservations.payments.services.finish_payment import NO_LOGIN, Decided, Unbookable, give_back
from reservations.payments.services.record import decide, lock_payment
from reservations.payments.states import Outcome, PaymentState
from reservations.services.change_booking import Draft, apply_change
from reservations.services.choose_seats import SeatWish
from reservations.services.confirm_booking import plan_with
from reservations.services.draft_change import exchange_of
from reservations.services.hold_seats import Owner, hold_seats

_OTHER_FARE = "fare-changed"


class _Difference:
    """The captured payment, as the change's transaction takes it (`change_booking.Money`)."""

    def __init__(self, payment: Payment) -> None:
        self._payment = payment

    def lock(self, new: Exchange) -> None:
        """Raises `Decided`; `IllegalState`: it is not this difference any more."""
        self._payment = lock_payment(self._payment.pk)
        if self._payment.outcome or self._payment.state != PaymentState.CAPTURED:
            raise Decided
        if new.difference != self._payment.captured_amount:
            raise IllegalState("The fares have changed.", _OTHER_FARE)

    def spend(self, booking: Booking) -> None:
        self._payment.booking = booking
        decide(self._payment, Outcome.BOOKED)


def finish_change(payment: Payment) -> Outcome:
    """Change or give back; safe to run late, twice or beside itself.

    Raises `StoreUnavailable`, `DatabaseError`, `RedisError` when it must be tried again.
    """
    try:
        if not _change(payment, payment.capability):
            _take_again(payment)
    except Decided:
        pass
    except Unbookable as end:
        return give_back(payment.pk, end.reason)
    payment.refresh_from_db(fields=["outcome"])
    return Outcome(payment.outcome)


def _change(payment: Payment, capability: str) -> bool:
    """Make the change with this hold; False if the hold is over. Raises `Unbookable`."""
    owner = Owner(payment.owner_id, NO_LOGIN, payment.acting)
    new = _exchange(payment, _member(capability))
    try:
        apply_change(Draft(owner=owner, new=new, capability=capability), money=_Difference(payment))
    except (HoldExpired, SeatAlreadyBooked):
        return False
    except IllegalState as refused:
        state = refused.data["state"]
        known = {_OTHER_FARE: _OTHER_FARE, Booking.Status.CANCELLED: "booking-cancelled"}
        raise Unbookable(known.get(state, "booking-changed")) from refused
    return True


def _exchange(payment: Payment, member: Member) -> Exchange:
    """What was drafted, as the rows are now. Raises `Unbookable`."""
    booking = payment.changes
    assert booking is not None  # noqa: S101  # of every change
    plan = plan_with(ids.read(member.hold).departure, member)
    rows = _rows(booking, payment.gives_up)
    return exchange_of(booking, plan, member, rows, acting=payment.acting)


def _rows(booking: Booking, keys: Sequence[int]) -> list[BookedSeat]:
    found = BookedSeat.objects.filter(booking=booking, live=True).in_bulk(list(keys))
    if len(found) != len(keys):
        cancelled = booking.status == Booking.Status.CANCELLED
        raise Unbookable("booking-cancelled" if cancelled else "booking-changed")
    return [found[key] for key in keys]


def _member(capability: str) -> Member:
    sealed = capabilities.open_sealed(capability)
    return parse(sealed.member, sealed.deadline_ms)


def _take_again(payment: Payment) -> None:
    """The hold is over: take its seats again, under an id of the payment's, so that a repeat finds
    them. Raises `Unbookable`.
    """
    member = _member(payment.capability)
    plan = plan_with(payment.departure_id, member)
    stops, seed = plan.train.stops, f"change {payment.pk}".encode()
    wish = SeatWish(
        departure=plan.departure,
        source=stops[member.from_stop].code,
        destination=stops[member.to_stop].code,
        seats=member.labels,
    )
    owner = Owner(payment.owner_id, NO_LOGIN, payment.acting)
    claimed = ids.mint(departure=plan.departure, user=owner.user, seed=seed)
    try:
        view = hold_seats(owner=owner, wish=wish, claimed=claimed, most_seats=len(member.labels))
    except StoreUnavailable:
        raise
    except SeatlockError as refused:
        raise Unbookable(refused.code) from refused
    if not _change(payment, view.capability or ""):
        raise Unbookable("hold-expired")

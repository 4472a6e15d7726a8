"""Captured money becomes one booking or goes back, never neither, never both (promise P9).

    hold alive (or known by its capability) ──────────────> booking
      over ── the same seats free ── locked again ────────> booking
                └─ taken ── other seats of the class allowed, and free ──> booking
                              └─ no ──────────────────────> money back, with the reason

The outcome is set in one transaction with the booking or the refund, under the payment's row lock,
so two that finish the same payment at once, or a crash in between, end with one of the two. Called
by the webhook, by the outbox (at least once) and by a task that finds what both missed.
"""

import logging
from dataclasses import replace
from functools import partial
from typing import Final
from uuid import UUID

import redis.exceptions
from django.db import DatabaseError, transaction

from config.errors import SeatlockError, StoreUnavailable
from reservations.availability.plans import Plan, plan_of
from reservations.bookings.insert import NewBooking, Verdict, insert_booking_within
from reservations.bookings.passengers import Passenger
from reservations.errors import HoldExpired, SeatAlreadyBooked
from reservations.holds import capabilities, ids
from reservations.holds.members import Member, parse
from reservations.models import Booking
from reservations.payments.models import Payment
from reservations.payments.services.purposes import finisher_of
from reservations.payments.services.record import decide, lock_payment, return_all
from reservations.payments.states import Outcome, PaymentState, Purpose
from reservations.services.choose_seats import SeatWish
from reservations.services.confirm_booking import Confirmed, confirm_booking
from reservations.services.hold_seats import Owner, hold_seats

logger = logging.getLogger(__name__)
NO_LOGIN: Final = "none"
"""Money finishes what a login began, also after that login ended."""


class Decided(Exception):  # not an error: another was faster
    """The payment has its outcome already."""


class Unbookable(Exception):
    """No booking can come of this money; the reason is what its owner is told."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def finish_soon(pk: UUID | str) -> None:
    """Finish now if that goes smoothly; the outbox and a task come back to it if not."""
    try:
        finish_payment(pk)
    except (StoreUnavailable, DatabaseError, redis.exceptions.RedisError):
        logger.warning("payment %s is captured and not finished yet", pk, exc_info=True)


def finish_payment(pk: UUID | str) -> Outcome:
    """Book or give back; what a payment became, NONE if it is not captured.

    Raises `StoreUnavailable`, `DatabaseError`, `RedisError` when it must be tried again.
    """
    payment = Payment.objects.get(pk=pk)
    if payment.state != PaymentState.CAPTURED or payment.outcome:
        return Outcome(payment.outcome)
    if (payment.captured_amount, payment.captured_currency) != (payment.amount, payment.currency):
        return give_back(pk, "amount-differs")
    if payment.purpose != Purpose.HOLD:
        finish = finisher_of(payment.purpose)
        return finish(payment) if finish else give_back(pk, "not-on-sale")
    try:
        if not _confirm(payment, payment.hold, payment.capability):
            _book_again(payment)
    except Decided:
        pass
    except Unbookable as end:
        return give_back(pk, end.reason)
    payment.refresh_from_db(fields=["outcome"])
    return Outcome(payment.outcome)


def _confirm(payment: Payment, hold: str, capability: str | None) -> bool:
    """Book this hold with the payment; False if the hold is over."""
    try:
        confirmed = confirm_booking(
            owner=Owner(payment.owner_id, NO_LOGIN, payment.acting),
            hold=hold,
            capability=capability,
            passengers=_people(payment),
            write=partial(_write_paid, payment.pk),
        )
    except (HoldExpired, SeatAlreadyBooked):
        return False
    if not confirmed.is_new:
        _attach(payment, confirmed)
    return True


def _write_paid(pk: UUID | str, new: NewBooking) -> Verdict:
    """Insert the booking and set the outcome, in one transaction."""
    with transaction.atomic():
        payment = lock_payment(pk)
        if payment.outcome or payment.state != PaymentState.CAPTURED:
            raise Decided
        if new.fare != payment.captured_amount:  # staff changed the table meanwhile
            raise Unbookable("fare-changed")
        verdict = insert_booking_within(new)
        if verdict is not Verdict.BOOKED:
            return verdict
        payment.booking = Booking.objects.get(hold=new.hold)
        decide(payment, Outcome.BOOKED)
    return verdict


def _attach(payment: Payment, confirmed: Confirmed) -> None:
    """The hold was booked without us: pay for that booking, unless it is paid or cancelled."""
    with transaction.atomic():
        locked = lock_payment(payment.pk)
        if locked.outcome:
            raise Decided
        booking = Booking.objects.select_for_update().get(pnr=confirmed.booking.pnr)
        if booking.status != Booking.Status.CONFIRMED:
            raise Unbookable("booking-cancelled")
        if Payment.objects.filter(booking=booking).exists():
            raise Unbookable("paid-twice")
        if booking.fare != locked.captured_amount:
            raise Unbookable("amount-differs")
        locked.booking = booking
        decide(locked, Outcome.BOOKED)


def _book_again(payment: Payment) -> None:
    """The hold is over: take its seats again, or others of the class. Raises `Unbookable`.

    The hold ids are made from the payment, so a repeat finds what it took.
    """
    booked = Booking.objects.filter(hold=payment.hold).exclude(status=Booking.Status.VOID)
    if booked.exists():  # it was cancelled, or paid by another
        raise Unbookable("booking-cancelled")
    plan = plan_of(payment.departure_id)
    sealed = capabilities.open_sealed(payment.capability)
    member = parse(sealed.member, sealed.deadline_ms)
    named = _wish(plan, member, _people(payment))
    wishes = [named]
    if payment.allow_other_seats:
        classes = {plan.train.class_names[plan.train.class_of[o]] for o in member.ordinals}
        if len(classes) == 1:
            other = replace(named, seats=(), travel_class=classes.pop(), count=len(member.labels))
            wishes.append(other)
    reason = "hold-expired"
    for number, wish in enumerate(wishes):
        reason = _take_and_book(payment, wish, f"payment {payment.pk} {number}")
        if not reason:
            return
    raise Unbookable(reason)


def _wish(plan: Plan, member: Member, people: tuple[Passenger, ...]) -> SeatWish:
    stops = plan.train.stops
    return SeatWish(
        departure=plan.departure,
        source=stops[member.from_stop].code,
        destination=stops[member.to_stop].code,
        seats=member.labels,
        passengers=people,
    )


def _people(payment: Payment) -> tuple[Passenger, ...]:
    return tuple(Passenger(**each) for each in payment.passengers)


def _take_and_book(payment: Payment, wish: SeatWish, seed: str) -> str:
    """Lock and book; the reason if it cannot be."""
    owner = Owner(payment.owner_id, NO_LOGIN, payment.acting)
    claimed = ids.mint(departure=wish.departure, user=owner.user, seed=seed.encode())
    try:
        view = hold_seats(owner=owner, wish=wish, claimed=claimed)
    except StoreUnavailable:
        raise
    except SeatlockError as refused:
        return refused.code
    return "" if _confirm(payment, view.hold, view.capability) else "hold-expired"


def give_back(pk: UUID | str, reason: str) -> Outcome:
    """Set the outcome and owe the money, in one transaction."""
    with transaction.atomic():
        payment = lock_payment(pk)
        if payment.outcome or payment.state != PaymentState.CAPTURED:
            return Outcome(payment.outcome)
        return_all(payment, reason)
    return Outcome.RETURNED

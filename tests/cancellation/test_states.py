"""Every pair of states of a booking, and of a booking and its refund: legal moves happen, no other
does.
"""

from contextlib import suppress
from itertools import product
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F

from config.errors import SeatlockError
from reservations.bookings.tombstone import bury
from reservations.holds import ids
from reservations.holds.states import BOOKING_MOVES, STAGE, BookingState
from reservations.models import BookedSeat, Booking, Cancellation
from reservations.payments.models import Payment, Refund
from reservations.payments.services.record import lock_payment, record_refund
from reservations.payments.states import REFUND_MOVES, RefundState
from reservations.services.cancel_booking import cancel_booking
from reservations.services.confirm_booking import confirm_booking
from reservations.services.hold_seats import Owner
from tests.cancellation.conftest import Buy, cancel, detail
from tests.engine import Traveller

pytestmark = pytest.mark.django_db


def put(booking: Booking, state: BookingState) -> None:
    """A booking in that state, as the engine would have left it."""
    if state is not BookingState.CONFIRMED:
        BookedSeat.objects.filter(booking=booking).update(live=False)
    Booking.objects.filter(pk=booking.pk).update(status=state.value)


def confirm(who: Traveller, booking: Booking) -> None:
    confirm_booking(owner=Owner(who.user.pk, "none"), hold=booking.hold)


def end(who: Traveller, booking: Booking) -> None:
    cancel_booking(actor=who.user.pk, as_staff=False, pnr=str(booking.pnr))


def void(who: Traveller, booking: Booking) -> None:
    bury([ids.read(booking.hold)])


MOVES: Any = {
    BookingState.CONFIRMED: confirm,
    BookingState.CANCELLED: end,
    BookingState.VOID: void,
}


@pytest.mark.parametrize(("before", "after"), list(product(BookingState, BookingState)))
def test_bookings_move_as_the_table_says(
    anna: Traveller, buy: Buy, before: BookingState, after: BookingState
) -> None:
    booking = buy(anna)
    put(booking, before)
    with suppress(SeatlockError):  # a refusal is an answer
        MOVES[after](anna, booking)
    booking.refresh_from_db()
    legal = (before, after) in BOOKING_MOVES
    assert booking.status == (after if legal else before).value
    live = BookedSeat.objects.filter(booking=booking, live=True).count()
    assert live == (booking.status == "confirmed")


@pytest.mark.parametrize(("before", "after"), list(product(RefundState, RefundState)))
def test_a_refund_moves_while_its_booking_stays_cancelled(
    anna: Traveller, buy: Buy, before: RefundState, after: RefundState
) -> None:
    """All pairs: what the booking shows is the refund's state; what cancels is never undone."""
    booking = buy(anna)
    assert cancel(anna, booking).status_code == 200
    refund = Refund.objects.get()
    Refund.objects.update(state=before)
    with transaction.atomic():
        lock_payment(refund.payment_id)
        moved = record_refund(Refund.objects.select_for_update().get(), state=after, reference="r")
    assert moved == ((before, after) in REFUND_MOVES)
    shown = detail(anna, booking)
    assert shown["status"] == "cancelled"
    assert shown["cancellation"]["refund"]["status"] == (after if moved else before).value
    assert cancel(anna, booking).status_code == 409
    assert Refund.objects.count() == 1
    payment = Payment.objects.get()
    is_back = moved and after is RefundState.DONE
    assert payment.state == ("refunded" if is_back else "captured")


@pytest.mark.parametrize("state", list(RefundState))
def test_another_seat_is_given_back_whatever_became_of_the_first_refund(
    anna: Traveller, buy: Buy, state: RefundState
) -> None:
    booking = buy(anna, "S1-1", "S1-2")
    cancel(anna, booking, "S1-1")
    Refund.objects.update(state=state)
    assert cancel(anna, booking, "S1-2").json()["status"] == "cancelled"
    assert sum(each.amount for each in Refund.objects.all()) == booking.fare


def test_no_more_goes_back_than_the_seats_cost(anna: Traveller, buy: Buy) -> None:
    cancel(anna, buy(anna))
    with pytest.raises(IntegrityError), transaction.atomic():
        Cancellation.objects.update(refund=F("fare") + 1)


def test_a_booking_is_over_after_all_that_changed_it() -> None:
    stages = {kind: stage for kind, stage in STAGE.items() if kind.startswith("booking.")}
    first, last = stages.pop("booking.confirmed"), stages.pop("booking.cancelled")
    assert set(stages.values()) == {first + 1} == {last - 1}, "their numbers tell their order"

"""Change: other seats, or another departure, in one step; the old seats stay until it is done.

    client        web                        Redis                       PostgreSQL
      | change     |                           |                            |
      |----------->| lock new seats ---------->| held                       |
      |            | (a difference to pay: 202, it goes on when the money is there)
      |            | pin -------------------->| cannot expire now          |
      |            | new seats in, old seats out, money back, facts: one transaction ->|
      |            | settle(new) ------------>| held bits become sold      |
      |            | refresh(old) ----------->| sold bits cleared          |
      |<-- 200 ----|                           |                            |

Crash before COMMIT: the pin runs out, and whoever meets it frees the new seats; the old are as they
were. Crash after: the hold's void row names the booking, so it is settled, and the outbox
refreshes the old seats. An error of COMMIT is not a no: the pin stays. The bits of the old seats
are cleared after COMMIT alone (rule 7), so nobody ever has neither.
"""

import logging
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

import redis.exceptions
from django.conf import settings
from django.db import DatabaseError, IntegrityError, transaction
from psycopg import errors as pg

from config.errors import SeatlockError, StoreUnavailable
from reservations.bookings.exchange import Exchange, HoldKnown, exchange
from reservations.bookings.insert import DEADLOCKS_FORGIVEN
from reservations.bookings.money_back import BY_HAND, NONE, RefundStand, paid_here
from reservations.bookings.views import BookingView, view_bookings
from reservations.errors import HoldExpired, SeatAlreadyBooked
from reservations.holds import capabilities, ids, store
from reservations.models import BookedSeat, Booking
from reservations.services.cancel_booking import free_seats
from reservations.services.charge_difference import Due, How, charge_difference
from reservations.services.claim_hold import claim_hold
from reservations.services.draft_change import ChangeWish, Draft, draft_change, find_booking
from reservations.services.hold_seats import Owner
from reservations.services.refresh_image import refresh_seats
from reservations.services.release_hold import release_hold
from reservations.services.resolve_pin import resolve_pin
from trains.fares import ZERO

__all__ = ["ChangeWish", "Changed", "Draft", "How"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Changed:
    """The booking as it is now. `difference`: what the new seats cost more (negative: less, and
    `refund` goes back). `due`: to be paid first; then the booking has its old seats until it is.
    """

    booking: BookingView
    difference: Decimal
    refund: RefundStand
    due: Due | None = None


class Money(Protocol):
    """Who paid the difference. `lock` runs first in the transaction of the change, `spend` last."""

    def lock(self, new: Exchange) -> None: ...
    def spend(self, booking: Booking) -> None: ...


def change_booking(  # what API.md's call is made of
    *, owner: Owner, pnr: str, wish: ChangeWish, how: How | None = None, as_staff: bool = False
) -> Changed:
    """Change a booking of mine, or as staff anybody's, now or once the difference is paid.

    Raises `NotFound`, `Invalid`, `IllegalState` (cancelled, boarded, left, changed meanwhile), what
    `hold_seats` raises, `SeatAlreadyBooked`, `HoldExpired`, `StoreUnavailable`.
    """
    draft = begin_change(owner=owner, pnr=pnr, wish=wish, as_staff=as_staff)
    if is_due(draft):
        return pay_change(draft, how or How())
    return apply_change(draft)


def begin_change(
    *, owner: Owner, pnr: str, wish: ChangeWish, as_staff: bool = False, seed: str = ""
) -> Draft:
    """Hold the new seats (`draft_change`) for whose booking it is; staff are named in the facts."""
    booking = find_booking(actor=owner.user, as_staff=as_staff, pnr=pnr)
    if booking.owner_id is not None and booking.owner_id != owner.user:
        owner = Owner(booking.owner_id, "none", {"actor": owner.user})
    return draft_change(owner=owner, booking=booking, wish=wish, seed=seed, by_staff=as_staff)


def is_due(draft: Draft) -> bool:
    """Whether the difference is paid first: where the booking was paid for, or everybody pays."""
    if draft.new.difference <= 0:
        return False
    if settings.ENV.require_payment == "on" and not draft.by_staff:
        return True
    return paid_here(Booking.objects.get(pk=draft.new.booking)) > 0


def pay_change(draft: Draft, how: How, *, keep_hold: bool = False) -> Changed:
    """Begin the payment of the difference; the new seats are held for its window.

    `keep_hold`: a repeat of this request will find them. Raises what `charge_difference` raises.
    """
    try:
        due = charge_difference(draft.owner, draft.new, how)
    except SeatlockError as refused:
        if not (keep_hold and isinstance(refused, StoreUnavailable)):
            _release(draft)
        raise
    booking = Booking.objects.get(pk=draft.new.booking)
    return _told(booking, draft.new, ZERO, due)


def apply_change(draft: Draft, *, money: Money | None = None) -> Changed:
    """Make a drafted change, in the caller's transaction if there is one: Redis is told after
    COMMIT. After a refusal the new seats are free again.
    """
    ref = ids.read(draft.new.member.hold)
    claim = claim_hold(ref, draft.owner, capabilities.open_sealed(draft.capability))
    if claim is None:
        raise HoldExpired
    if not claim.is_pinned:
        raise StoreUnavailable("Seats cannot be changed while holds are away; try again.")
    before = list(
        BookedSeat.objects.filter(pk__in=[row.pk for row in draft.new.rows]).values_list(
            "departure_id", "seat_id"
        )
    )
    try:
        booking, back = _write(draft.new, money)
    except HoldKnown:
        resolve_pin(ref.hold, became="" if claim.retaken else "expired")
        raise HoldExpired from None
    except SeatlockError:
        _let_go(ref, draft.new)
        raise
    hold = booking.hold
    transaction.on_commit(lambda: _settle(ref, draft.new))
    for departure in sorted({departure for departure, _ in before}):
        seats = [seat for each, seat in before if each == departure]
        transaction.on_commit(
            lambda departure=departure, seats=seats: free_seats(  # type: ignore[misc]
                departure=departure, seat_ids=seats, hold=hold
            )
        )
    return _told(booking, draft.new, back, None)


def _write(new: Exchange, money: Money | None) -> tuple[Booking, Decimal]:
    """The transaction; a deadlock is tried again, as for a confirm."""
    tries_left = DEADLOCKS_FORGIVEN
    while True:
        try:
            with transaction.atomic():
                if money is not None:
                    money.lock(new)
                booking, back = exchange(new)
                if money is not None:
                    money.spend(booking)
                return booking, back
        except IntegrityError as error:
            if isinstance(error.__cause__, pg.ExclusionViolation):
                raise SeatAlreadyBooked(list(new.member.labels)) from None
            raise
        except DatabaseError as error:
            if not isinstance(error.__cause__, pg.DeadlockDetected) or not tries_left:
                raise
            tries_left -= 1


def _told(booking: Booking, new: Exchange, back: Decimal, due: Due | None) -> Changed:
    less = max(ZERO, -new.difference)
    status = NONE if not less or due else "due" if back >= less else BY_HAND
    return Changed(
        booking=view_bookings([booking])[0],
        difference=new.difference,
        refund=RefundStand(amount=less, status=status),
        due=due,
    )


def _settle(ref: ids.HoldRef, new: Exchange) -> None:
    """The held bits become sold bits; what fails here the outbox repeats."""
    try:
        if not store.settle(ref):
            refresh_seats(departure=ref.departure, seat_ids=new.seat_ids)
    except (redis.exceptions.RedisError, StoreUnavailable):
        logger.warning("changed, but the image was not told; the outbox will", exc_info=True)


def _let_go(ref: ids.HoldRef, new: Exchange) -> None:
    """End the hold after a definite no, and show whose its seats are."""
    try:
        store.free(ref, "released", '{"by":"change"}')
        refresh_seats(departure=ref.departure, seat_ids=new.seat_ids)
    except (redis.exceptions.RedisError, StoreUnavailable):
        logger.warning("not changed; the hold of the new seats runs out", exc_info=True)


def _release(draft: Draft) -> None:
    try:
        release_hold(
            user=draft.owner.user,
            sid=draft.owner.sid,
            hold=draft.new.member.hold,
            acting=draft.owner.acting,
        )
    except (SeatlockError, redis.exceptions.RedisError):
        logger.warning("the hold of new seats runs out by itself", exc_info=True)

"""Cancel a whole departure: it is closed for good, and every booking on it is cancelled and
refunded in full, batch by batch.

    staff                       PostgreSQL                          worker (task, each few seconds)
      | withdraw, reason; COMMIT -->|                                  |
      |<-- 202, progress            |<-- a batch: lock, cancel, owe, --| dies: the batch was not,
      |                             |    mail; COMMIT                  | the next worker takes it
      | progress? (counted) ------->|                                  |

What is left to do is what is still confirmed, so there is no list to keep and none to lose: a
booking that is confirmed late (its hold was pinned, or paid for) is found by the next round. Seats
that come free are not sold again: the departure is closed, and its waitlist lapses.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import DatabaseError, transaction
from django.db.models import Count, Q, Sum

from config import clock
from config.errors import NotFound
from config.outbox.facts import Fact, append
from reservations.bookings import quote
from reservations.bookings.quote import Override
from reservations.models import Booking, Cancellation, Withdrawal
from reservations.services.cancel_booking import Who, cancel_locked
from trains.fares import ZERO
from trains.services.withdraw_departure import withdraw_departure

logger = logging.getLogger(__name__)
BATCH: Final = 20
RULE: Final = "departure-cancelled"
# Bookings that are confirmed late are looked for until then after the last arrival.
LOOKED_AFTER: Final = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far the cancellation of a departure is. `refunds`: what goes back by it, in all."""

    departure: int
    reason: str
    began_at: datetime
    cancelled: int
    left: int
    refunds: dict[str, str]

    @property
    def is_done(self) -> bool:
        return self.left == 0


def cancel_departure(*, departure: int, actor: int, reason: str) -> Progress:
    """Withdraw the departure; the bookings follow. Asked again it says how far that is.

    Raises `NotFound`.
    """
    with transaction.atomic():
        if withdraw_departure(departure_id=departure, actor_id=actor):
            made = Withdrawal.objects.create(
                departure_id=departure, reason=reason, actor_id=actor, began_at=clock.now()
            )
            append(_fact(made))
    return progress_of(departure)


def progress_of(departure: int) -> Progress:
    """Raises `NotFound`: there is no such departure, or it was not cancelled."""
    found = Withdrawal.objects.filter(departure=departure).first()
    if found is None:
        raise NotFound("This departure was not cancelled")
    counted = Booking.objects.filter(departure=departure).aggregate(
        left=Count("pk", filter=Q(status=Booking.Status.CONFIRMED))
    )
    given = Cancellation.objects.filter(booking__departure=departure, rule=RULE)
    sums = given.values("booking__currency").annotate(count=Count("pk"), amount=Sum("refund"))
    rows = list(sums.order_by("booking__currency"))
    return Progress(
        departure=departure,
        reason=found.reason,
        began_at=found.began_at,
        cancelled=sum(row["count"] for row in rows),
        left=counted["left"],
        refunds={row["booking__currency"]: str(row["amount"] or ZERO) for row in rows},
    )


def cancel_withdrawn() -> int:
    """Cancel what is still booked on departures that were cancelled; how many bookings.

    Safe to run late, twice or beside itself, and to die at any moment.
    """
    recent = Withdrawal.objects.filter(departure__ends_at__gt=clock.now() - LOOKED_AFTER)
    return sum(_cancel_all(each) for each in recent.order_by("pk"))


def _cancel_all(withdrawal: Withdrawal) -> int:
    cancelled = after = 0
    while True:
        count, last = _cancel_batch(withdrawal, after)
        if last is None:
            return cancelled
        cancelled += count
        after = last


@transaction.atomic
def _cancel_batch(withdrawal: Withdrawal, after: int) -> tuple[int, int | None]:
    """The next bookings behind `after`: how many were cancelled, and the last that was looked at.

    Those that somebody else has locked are passed by: he cancels them, or the next round does.
    """
    batch = list(
        Booking.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(departure=withdrawal.departure_id, status=Booking.Status.CONFIRMED, pk__gt=after)
        .order_by("pk")[:BATCH]
    )
    done = sum(_cancel_one(booking, withdrawal) for booking in batch)
    return done, batch[-1].pk if batch else None


def _cancel_one(booking: Booking, withdrawal: Withdrawal) -> bool:
    """One that cannot be cancelled keeps nobody waiting: it is logged, and tried again."""
    told = Override(reason=withdrawal.reason, refund=booking.fare, rule=RULE)
    who = Who(actor=withdrawal.actor_id, by=Cancellation.By.STAFF)
    try:
        with transaction.atomic():
            cancel_locked(booking, quote.decide(booking, None, told), who, reason=told.reason)
    except (DatabaseError, AssertionError):
        logger.exception("booking %s of a cancelled departure is not cancelled", booking.pnr)
        return False
    return True


def _fact(made: Withdrawal) -> Fact:
    subject = f"departure:{made.departure_id}"
    return Fact(
        event_id=f"{subject}:cancelled",
        kind="staff.departure-cancelled",
        subject=subject,
        stage=1,
        body={"actor": made.actor_id, "reason": made.reason, "departure": made.departure_id},
    )

"""Join: who found too few seats free waits for them, first come first served.

    web     too few free ── INSERT entry, fact; COMMIT ── mark ── 201, position
                                                           |
    rival                              lock: taken (kept)  <── from here nobody overtakes

Seats that come free between the refusal and the mark are nobody's for long: the entry is served
right after the mark.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from django.conf import settings
from django.db import connection, transaction

from config import clock
from config.errors import Invalid, NotFound
from config.outbox.facts import append
from reservations.availability import ranking
from reservations.availability.plans import Plan, Stretch, read_again
from reservations.bookings.passengers import Passenger, to_json
from reservations.errors import IllegalState, LimitReached, NotOnSale
from reservations.services.choose_seats import SeatWish, not_on_sale, taken_now
from reservations.services.hold_seats import Owner
from reservations.services.name_passengers import refuse_wrong_party
from reservations.services.wait_instead import Waits
from reservations.waitlist.models import Entry
from reservations.waitlist.queue import positions_of
from reservations.waitlist.record import entry_fact, mark_soon
from reservations.waitlist.services.serve_waitlist import serve_soon
from reservations.waitlist.states import IN_QUEUE, EntryState
from trains.errors import FareMissing
from trains.sale import SaleState

# Two joins of one user on one departure are counted one after the other.
_ONE_BY_ONE: Final = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"


@dataclass(frozen=True, kw_only=True)
class WaitWish:
    """What somebody waits for; `passengers`, one a seat or none at all."""

    departure: int
    source: str
    destination: str
    travel_class: str
    count: int
    passengers: Sequence[Passenger] = ()


def join_waitlist(
    *, owner: Owner, wish: WaitWish, request: str | None = None, was_refused: bool = False
) -> Entry:
    """A new entry at the end of the queue, in the caller's transaction if there is one.

    `request`: joined once by this name; a repeat gives the same entry. `was_refused`: a lock was
    just refused, so it is not asked again whether seats are free. Raises `Invalid`, `NotFound`,
    `FareMissing`, `NotOnSale` (closed, too), `LimitReached`, `IllegalState` (seats are free).
    """
    user = owner.user
    plan = read_again([wish.departure]).get(wish.departure)
    if plan is None:
        raise NotFound(f"There is no departure {wish.departure}.")
    stretch = plan.stretch(wish.source, wish.destination)
    _refuse_wrong_wish(plan, wish)
    known = Entry.objects.filter(owner=user, request=request).first() if request else None
    if known is not None:
        return known
    closes_at = chart_time(plan)
    _refuse_if_closed(plan, stretch, closes_at)
    if not was_refused:
        _refuse_if_free(plan, stretch, wish)

    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_ONE_BY_ONE, [f"waitlist:{wish.departure}:{user}"])
        if request and (known := Entry.objects.filter(owner=user, request=request).first()):
            return known
        _refuse_too_many(user, wish.departure)

        # From here the entry waits.
        entry = Entry.objects.create(
            owner_id=user,
            departure_id=wish.departure,
            from_stop=stretch.from_stop,
            to_stop=stretch.to_stop,
            travel_class=wish.travel_class,
            count=wish.count,
            passengers=[to_json(each) for each in wish.passengers],
            request=request,
            acting=dict(owner.acting),
            joined_at=clock.now(),
            closes_at=closes_at,
            state=EntryState.WAITING,
        )
        append(entry_fact(entry, "joined"))
        transaction.on_commit(partial(mark_soon, wish.departure))
        transaction.on_commit(partial(serve_soon, wish.departure))
    return entry


def join_instead(owner: Owner, wish: SeatWish, request: str | None) -> Waits:
    """Join for seats a lock was refused (`wait_instead`). Raises as `join_waitlist` does."""
    if wish.travel_class is None:
        raise Invalid({"travel_class": ["Name the class to wait for."]})
    entry = join_waitlist(
        owner=owner,
        wish=WaitWish(
            departure=wish.departure,
            source=wish.source,
            destination=wish.destination,
            travel_class=wish.travel_class,
            count=wish.count,
            passengers=wish.passengers,
        ),
        request=request,
        was_refused=True,
    )
    return Waits(
        entry=str(entry.key), position=positions_of([entry]).get(entry.pk), status=entry.state
    )


def chart_time(plan: Plan) -> datetime:
    """When the waitlist of a departure closes: CHART_HOURS before it leaves its first stop."""
    leaves_at = plan.boards_at(Stretch(0, 1))
    return leaves_at - timedelta(hours=settings.ENV.chart_hours)


def _refuse_wrong_wish(plan: Plan, wish: WaitWish) -> None:
    if wish.travel_class not in plan.train.classes:
        told = f"{plan.train.number} has no class {wish.travel_class}."
        raise Invalid({"travel_class": [told]})
    if not plan.has_fare(wish.travel_class):
        raise FareMissing(wish.travel_class, plan.service_date)
    if wish.count < 1:
        raise Invalid({"count": ["At least 1."]})
    if wish.count > settings.ENV.hold_max_seats:
        most = settings.ENV.hold_max_seats
        raise LimitReached(f"At most {most} seats in one entry.", most)
    seats = len(plan.train.classes[wish.travel_class])
    if wish.count > seats:
        raise Invalid({"count": [f"{wish.travel_class} has only {seats} seats."]})
    refuse_wrong_party(plan, wish.passengers, wish.count)


def _refuse_if_closed(plan: Plan, stretch: Stretch, closes_at: datetime) -> None:
    now = clock.now()
    if plan.sale_state(stretch, now) is not SaleState.OPEN:
        raise not_on_sale(plan, stretch)
    if closes_at <= now:
        raise NotOnSale("The waitlist of this departure is closed.")


def _refuse_if_free(plan: Plan, stretch: Stretch, wish: WaitWish) -> None:
    """Seats that are free, and kept for nobody, are to be locked, not waited for."""
    free = ranking.count_free(plan.train, taken_now(plan), stretch).get(wish.travel_class, 0)
    if free >= wish.count:
        raise IllegalState(f"{free} seats are free: lock them.", "free")


def _refuse_too_many(user: int, departure: int) -> None:
    most = settings.ENV.waitlist_max_per_user
    mine = Entry.objects.filter(owner=user, departure=departure, state__in=IN_QUEUE).count()
    if mine >= most:
        raise LimitReached(f"At most {most} entries on the waitlist of one departure.", most)

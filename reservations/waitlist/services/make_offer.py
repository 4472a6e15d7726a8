"""Offer: a real hold for an entry, made by the engine over seats that are kept for who waits.

    row locked: waiting, hold id written down, COMMIT     (a crash: the next server tries this id)
    Redis       lock, mode offer: all seats or none       (a crash: the next server finds the hold)
    row locked: still waiting for this hold?
                  prepaid or free: confirmed, entry and booking in one transaction
                  else: offered, fact, mail; COMMIT
                left meanwhile? the hold is released

The id of the hold is a keyed hash of entry and number, so two servers, or one that comes after a
crash, make one hold and tell of it once.
"""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from functools import partial
from typing import Final

import msgspec
import redis.exceptions
from django.conf import settings
from django.db import DatabaseError, transaction

from config import clock
from config.errors import Invalid, StoreUnavailable
from reservations.availability.plans import Plan, Stretch, plan_of
from reservations.bookings.insert import NewBooking, Verdict, insert_booking_within
from reservations.bookings.passengers import Passenger, to_json
from reservations.errors import HoldExpired, SeatAlreadyBooked
from reservations.holds import capabilities, ids, people, store
from reservations.holds.members import parse
from reservations.holds.scripts import Outcome
from reservations.models import Booking
from reservations.services.bury_released import bury_released
from reservations.services.choose_seats import SeatWish, party
from reservations.services.confirm_booking import confirm_booking
from reservations.services.hold_seats import Owner, lock_request
from reservations.waitlist.models import Entry
from reservations.waitlist.prepaid import needs_no_answer
from reservations.waitlist.record import NO_LOGIN, lock_entry, may_move, move
from reservations.waitlist.states import EntryState

NO_LIMIT: Final = 1_000_000
SHORTEST_OFFER: Final = timedelta(seconds=1)

logger = logging.getLogger(__name__)


class Offer(Enum):
    """What came of trying: seats are the entry's; not now; or look at the seats again first."""

    MADE = "made"
    NOT_NOW = "not now"
    LOOK_AGAIN = "look again"


@dataclass(frozen=True, kw_only=True)
class Place:
    """An entry with what it waits for, in the engine's words."""

    entry: Entry
    plan: Plan
    stretch: Stretch
    wish: SeatWish

    @property
    def is_begun(self) -> bool:
        """Whether an offer was begun whose end nobody wrote down: its hold may be there."""
        begun_at = self.entry.offer_begun_at
        return begun_at is not None and clock.now() < begun_at + _offer_lasts()


def place_of(plan: Plan, entry: Entry) -> Place:
    stops, stretch = plan.train.stops, Stretch(entry.from_stop, entry.to_stop)
    wish = SeatWish(
        departure=plan.departure,
        source=stops[stretch.from_stop].code,
        destination=stops[stretch.to_stop].code,
        travel_class=entry.travel_class,
        count=entry.count,
        passengers=tuple(Passenger(**each) for each in entry.passengers),
    )
    return Place(entry=entry, plan=plan, stretch=stretch, wish=wish)


def make_offer(place: Place, groups: Sequence[str]) -> tuple[Offer, store.Answer | None]:
    """Try these groups of seats for the entry; with the hold, or with why the script refused."""
    until = min(clock.now() + _offer_lasts(), place.entry.closes_at)
    begun = _begin(place) if until - clock.now() >= SHORTEST_OFFER else None
    if begun is None or begun.entry.hold is None:
        return Offer.NOT_NOW, None
    place, hold = begun, begun.entry.hold
    answer = store.lock(_request(place, hold, groups, until), mode="offer")
    if answer.held is None:
        if answer.outcome is Outcome.STALE and not groups:
            _forget_begun(place.entry, hold)
            return Offer.NOT_NOW, answer
        return Offer.LOOK_AGAIN, answer
    is_free = needs_no_answer(place.entry, answer.held.member.fare)
    if (_confirm if is_free else _tell)(place, answer.held):
        return Offer.MADE, answer
    give_up_hold(hold)
    return (Offer.NOT_NOW if is_free else Offer.LOOK_AGAIN), answer


def give_up_hold(hold: str) -> Outcome:
    """Release the hold of an offer, for good; PINNED: it is being confirmed, and stays."""
    ref = ids.read(hold)
    outcome = store.release(ref, NO_LOGIN, '{"by":"waitlist"}')
    if outcome is not Outcome.PINNED:
        bury_released(ref, outcome)
    return outcome


def note_booked(holds: Sequence[str]) -> None:
    """Entries whose offer became a booking are confirmed, whoever confirmed it."""
    for entry in Entry.objects.filter(hold__in=holds):
        with transaction.atomic():
            locked = lock_entry(entry.pk)
            booking = Booking.objects.filter(hold=locked.hold).exclude(status="void").first()
            if booking is not None and may_move(locked, EntryState.CONFIRMED):
                move(locked, EntryState.CONFIRMED, booking=booking)


def book_offer_soon(entry: Entry) -> None:
    """Book an offer that was paid for in advance, if there is one; the task comes back to it if
    that does not go smoothly. Never raises.
    """
    try:
        book_offer(entry)
    except (StoreUnavailable, DatabaseError, redis.exceptions.RedisError):
        logger.warning("entry %s is prepaid and booked later", entry.key, exc_info=True)


def book_offer(entry: Entry) -> bool:
    """Book the seats an entry is offered, if its money covers them; False if nothing was booked."""
    if entry.state != EntryState.OFFERED or not entry.hold:
        return False
    sealed = capabilities.open_sealed(entry.capability)
    member = parse(sealed.member, sealed.deadline_ms)
    if not needs_no_answer(entry, member.fare):
        return False
    place = place_of(plan_of(entry.departure_id), entry)
    people = party(place.plan, member.ordinals, place.wish)
    return _book(entry, entry.hold, capability=entry.capability, passengers=people)


def _offer_lasts() -> timedelta:
    return timedelta(seconds=settings.ENV.waitlist_offer_seconds)


def _begin(place: Place) -> Place | None:
    """The place with its entry as it is now and the id of the hold to make, written down; None if
    the entry does not wait any more.
    """
    with transaction.atomic():
        entry = lock_entry(place.entry.pk)
        if entry.state != EntryState.WAITING:
            return None
        begun = replace(place, entry=entry)
        if entry.hold is None or not begun.is_begun:
            entry.offers += 1
            seed = f"offer\n{entry.key}\n{entry.offers}".encode()
            entry.hold = ids.mint(departure=entry.departure_id, user=entry.owner_id, seed=seed)
            entry.offer_begun_at = clock.now()
            entry.save(update_fields=["offers", "hold", "offer_begun_at"])
        return begun


def _request(place: Place, hold: str, groups: Sequence[str], until: datetime) -> store.LockRequest:
    entry = place.entry
    owner = _owner(entry)
    request = lock_request(place.plan, place.stretch, owner, hold, list(groups))
    origin = msgspec.json.encode({"made_by": "offer", "entry": str(entry.key)}).decode()
    return replace(
        request,
        fact_body=f"{request.fact_body},{origin[1:-1]}",
        ttl_seconds=math.ceil((until - clock.now()).total_seconds()),
        holds_limit=NO_LIMIT,
    )


def _forget_begun(entry: Entry, hold: str) -> None:
    """No such hold was made, and there are no seats for one now."""
    Entry.objects.filter(pk=entry.pk, state=EntryState.WAITING, hold=hold).update(
        hold=None, offer_begun_at=None
    )


def _tell(place: Place, held: store.Held) -> bool:
    """Write down that the offer was made; False if the entry does not wait for it any more."""
    member, train = held.member, place.plan.train
    named = party(place.plan, member.ordinals, place.wish)
    if named:
        people.keep(ids.read(member.hold), [to_json(each) for each in named])
    with transaction.atomic():
        entry = lock_entry(place.entry.pk)
        if entry.hold != member.hold or entry.state != EntryState.WAITING:
            return entry.hold == member.hold and entry.state == EntryState.OFFERED
        entry.seat_ids = [int(train.seat_ids[ordinal]) for ordinal in member.ordinals]
        entry.capability = capabilities.seal(held.capability)
        entry.offer_expires_at = member.expires_at
        move(entry, EntryState.OFFERED)
    return True


def _confirm(place: Place, held: store.Held) -> bool:
    """Book it now; False if that cannot be, and the entry waits on or has left."""
    entry, hold = place.entry, held.member.hold
    people = party(place.plan, held.member.ordinals, place.wish)
    if _book(entry, hold, passengers=people):
        return True
    _forget_begun(entry, hold)
    return False


def _book(
    entry: Entry, hold: str, *, capability: str | None = None, passengers: Sequence[Passenger] = ()
) -> bool:
    try:
        confirm_booking(
            owner=_owner(entry),
            hold=hold,
            capability=capability,
            passengers=passengers,
            write=partial(_write, entry.pk),
        )
    except (HoldExpired, SeatAlreadyBooked, Invalid):
        return False
    note_booked([hold])  # it may have been booked by another, or before a crash
    return True


def _owner(entry: Entry) -> Owner:
    return Owner(entry.owner_id, NO_LOGIN, entry.acting)


def _write(pk: int, new: NewBooking) -> Verdict:
    """The booking and its entry's end, in one transaction."""
    with transaction.atomic():
        entry = lock_entry(pk)
        if entry.hold != new.hold or not may_move(entry, EntryState.CONFIRMED):
            return Verdict.HOLD_KNOWN  # left, or confirmed by another: no booking is made here
        verdict = insert_booking_within(new)
        if verdict is Verdict.BOOKED:
            move(entry, EntryState.CONFIRMED, booking=Booking.objects.get(hold=new.hold))
    return verdict

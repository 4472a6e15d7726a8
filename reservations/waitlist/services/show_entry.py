"""An entry as its owner sees it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import redis.exceptions
from django.db.models import QuerySet

from config import clock
from config.errors import NotFound, StoreUnavailable
from reservations.availability.plans import Plan, plans_of
from reservations.waitlist import prepaid
from reservations.waitlist.models import Entry
from reservations.waitlist.queue import positions_of
from reservations.waitlist.record import is_in_queue
from reservations.waitlist.services.settle_offers import settle_offers
from reservations.waitlist.states import EntryState

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class OfferView:
    """Seats held for the entry until `expires_at`; confirm or pay the hold to have them."""

    hold: str
    capability: str
    seats: tuple[str, ...]
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class EntryView:
    """`position` counts from 1, and only while it waits; `offer`, only while it is open; `pnr`,
    once it is confirmed; `prepaid`, what was paid and is kept for it.
    """

    entry: str
    status: str
    position: int | None
    departure: int
    source: str
    destination: str
    travel_class: str
    count: int
    joined_at: datetime
    closes_at: datetime
    offer: OfferView | None
    pnr: str | None
    prepaid: Decimal | None = None


def show_entry(*, user: int | None, key: str) -> EntryView:
    """My entry, or, with `user` None, anybody's. Raises `NotFound`."""
    try:
        found = Entry.objects.filter(key=UUID(key))
    except ValueError:
        raise NotFound("There is no such entry") from None
    if user is not None:
        found = found.filter(owner=user)
    views = view_entries(found)
    if not views:
        raise NotFound("There is no such entry")
    return views[0]


def view_entries(found: "QuerySet[Entry]") -> list[EntryView]:
    """Render them in their order; an offer that is over is settled first, as on every look."""
    entries = _as_they_are(found)
    positions = positions_of(entries)
    plans = plans_of({entry.departure_id for entry in entries})
    kept = prepaid.kept([entry for entry in entries if is_in_queue(entry)])
    return [
        replace(
            _view(plans[entry.departure_id], entry, positions.get(entry.pk)),
            prepaid=kept.get(entry.pk),
        )
        for entry in entries
    ]


def _as_they_are(found: "QuerySet[Entry]") -> Sequence[Entry]:
    entries = list(found.select_related("booking"))
    now = clock.now()
    over = [
        entry
        for entry in entries
        if entry.state == EntryState.OFFERED
        and entry.offer_expires_at is not None
        and entry.offer_expires_at <= now
    ]
    if not over:
        return entries
    try:
        settle_offers(over)
    except (redis.exceptions.RedisError, StoreUnavailable):
        logger.warning("an offer that is over is settled later", exc_info=True)
        return entries
    return list(found.all().select_related("booking"))


def _view(plan: Plan, entry: Entry, position: int | None) -> EntryView:
    stops = plan.train.stops
    return EntryView(
        entry=str(entry.key),
        status=entry.state,
        position=position,
        departure=entry.departure_id,
        source=stops[entry.from_stop].code,
        destination=stops[entry.to_stop].code,
        travel_class=entry.travel_class,
        count=entry.count,
        joined_at=entry.joined_at,
        closes_at=entry.closes_at,
        offer=_offer(plan, entry),
        pnr=entry.booking.pnr if entry.booking else None,
    )


def _offer(plan: Plan, entry: Entry) -> OfferView | None:
    if entry.state != EntryState.OFFERED or entry.hold is None or entry.offer_expires_at is None:
        return None
    label_of = dict(zip(plan.train.seat_ids.tolist(), plan.train.labels, strict=True))
    return OfferView(
        hold=entry.hold,
        capability=entry.capability,
        seats=tuple(label_of[seat] for seat in entry.seat_ids if seat in label_of),
        expires_at=entry.offer_expires_at,
    )

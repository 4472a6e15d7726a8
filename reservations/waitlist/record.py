"""An entry moves from state to state: row, fact and mail in one transaction, then the mark.

move, COMMIT ──> refresh of the mark ──> whoever waits is served
└ crash ──> the outbox repeats the refresh, the task serves
"""

import logging
from functools import partial
from typing import Any, Final
from uuid import UUID

import redis.exceptions
from django.db import DatabaseError, transaction

from config import clock
from config.errors import NotFound, StoreUnavailable
from config.outbox.facts import Fact, append
from reservations.models import Booking
from reservations.services.refresh_image import refresh_waiting
from reservations.waitlist.models import Entry, EntryMail
from reservations.waitlist.prepaid import give_back, spend
from reservations.waitlist.states import ENTRY_MOVES, IN_QUEUE, STAGE, TOLD, EntryState

logger = logging.getLogger(__name__)
MAILED: Final = frozenset({EntryState.OFFERED, EntryState.CONFIRMED, EntryState.LAPSED})
NO_LOGIN: Final = "none"
"""The waitlist finishes what a login began, also after that login ended."""


def find_own(owner: int, key: str) -> Entry | None:
    """My entry by the name its owner knows."""
    try:
        return Entry.objects.filter(owner=owner, key=UUID(key)).first()
    except ValueError:
        return None


def lock_entry(pk: int) -> Entry:
    """The entry, its row locked until the transaction ends. Raises `NotFound`."""
    entry = Entry.objects.select_for_update(of=("self",)).filter(pk=pk).first()
    if entry is None:
        raise NotFound("There is no such entry")
    return entry


def move(entry: Entry, to: EntryState, *, booking: Booking | None = None, why: str = "") -> None:
    """Move it; the caller holds its row's lock and has saved nothing else of it.

    `why` is told in the trail: "chart", "withdrawn", "expired", "given-back", "lost", "claimed".
    """
    was = EntryState(entry.state)
    assert (was, to) in ENTRY_MOVES, f"{entry.key}: {was} -> {to}"  # noqa: S101
    entry.state = to
    entry.moves += 1
    if to is EntryState.WAITING:
        entry.hold, entry.seat_ids, entry.capability = None, [], ""
        entry.offer_begun_at = entry.offer_expires_at = None
    elif to is not EntryState.OFFERED:
        entry.booking, entry.ended_at, entry.passengers = booking, clock.now(), []
        entry.capability = ""
    entry.save()
    fact = entry_fact(entry, TOLD[to], why=why)
    append(fact)
    if to in MAILED:
        EntryMail.objects.create(event_id=fact.event_id, entry=entry, next_at=clock.now())
    if to in {EntryState.LAPSED, EntryState.LEFT}:
        give_back(entry)
    if booking is not None:
        spend(entry, booking)
    transaction.on_commit(partial(mark_soon, entry.departure_id))


def may_move(entry: Entry, to: EntryState) -> bool:
    return (EntryState(entry.state), to) in ENTRY_MOVES


def entry_fact(entry: Entry, what: str, *, why: str = "") -> Fact:
    """Ids and numbers, no names. The mark follows every such fact, so that a crash loses none."""
    subject = f"waitlist:{entry.key}"
    number = entry.moves if STAGE[what] == STAGE["offered"] else 0
    body: dict[str, Any] = {
        "entry": str(entry.key),
        "user": entry.owner_id,
        "departure": entry.departure_id,
        "travel_class": entry.travel_class,
        "from_stop": entry.from_stop,
        "to_stop": entry.to_stop,
        "count": entry.count,
        **entry.acting,
    }
    if entry.hold:
        body["hold"] = entry.hold
    if entry.booking is not None:
        body["pnr"] = entry.booking.pnr
    if why:
        body["reason"] = why
    return Fact(
        event_id=f"{subject}:{what}" + (f":{number}" if number else ""),
        kind=f"waitlist.{what}",
        subject=subject,
        stage=STAGE[what],
        number=number,
        body=body,
        subscribed=True,
    )


def mark_soon(departure: int) -> None:
    """Bring the mark in line with the rows; what cannot be done now the outbox repeats."""
    try:
        refresh_waiting(departure=departure)
    except (redis.exceptions.RedisError, StoreUnavailable, DatabaseError):
        logger.warning("who waits on %s changed, the mark will follow", departure, exc_info=True)


def is_in_queue(entry: Entry) -> bool:
    return EntryState(entry.state) in IN_QUEUE

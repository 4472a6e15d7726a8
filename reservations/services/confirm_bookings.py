"""Confirm many holds together: agents, groups, replays. Promises and answers are those of confirm.

    caller            Redis                                PostgreSQL
      | pin all ------->| one round trip                       |
      | compose each    |                                      |
      | write all ------------------------------------------->| one statement, one COMMIT, for
      | settle all ---->| one round trip                       | each fifty of them

Only what goes the ordinary way is done together. What does not (a hold that is over or booked, an
image that is missing, a seat that PostgreSQL refuses, a known key, Redis away) is confirmed alone
afterwards, by `confirm_booking`, which finds it as it was: a second pin by its owner succeeds, and
a refusal comes again. So there is one place where the unusual is decided.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import redis.exceptions
from django.db import DatabaseError

from config.errors import SeatlockError, StoreUnavailable
from config.stores.redis import AWAY
from reservations.bookings.insert import NewBooking, Verdict, insert_bookings
from reservations.bookings.passengers import Passenger
from reservations.bookings.views import BookingView
from reservations.holds import batches, ids
from reservations.holds.members import Member
from reservations.services.claim_hold import Claim
from reservations.services.confirm_booking import (
    Confirmed,
    Encode,
    KeyKnown,
    compose,
    confirm_booking,
    party_of,
    plan_with,
)
from reservations.services.hold_seats import Owner, RequestKey
from reservations.services.refresh_image import refresh_seats

logger = logging.getLogger(__name__)

Answered = Confirmed | SeatlockError | KeyKnown | DatabaseError | redis.exceptions.RedisError


@dataclass(frozen=True, kw_only=True)
class ConfirmAsk:
    """One of the confirms; its fields are the arguments of `confirm_booking`."""

    owner: Owner
    hold: str
    capability: str | None = None
    passengers: Sequence[Passenger] = ()
    key: RequestKey | None = None
    encode: Encode | None = None


@dataclass(frozen=True)
class _Draft:
    """A hold that is pinned, and what shall be written for it."""

    ref: ids.HoldRef
    new: NewBooking
    view: BookingView


def confirm_bookings(asks: Sequence[ConfirmAsk]) -> list[Answered]:
    """Confirm these; for each what `confirm_booking` returns, or the error it raises.

    Outside a transaction: each fifty are one of their own.
    """
    drafts = _drafts(asks)
    verdicts = insert_bookings([draft.new for draft in drafts.values()])
    booked = {
        index: draft
        for (index, draft), verdict in zip(drafts.items(), verdicts, strict=True)
        if verdict is Verdict.BOOKED
    }
    _settle(list(booked.values()))
    return [
        Confirmed(booked[index].view, is_new=True) if index in booked else _alone(ask)
        for index, ask in enumerate(asks)
    ]


def _drafts(asks: Sequence[ConfirmAsk]) -> Mapping[int, _Draft]:
    """By place, those that are pinned and can be written; all others are for `_alone`."""
    drafts: dict[int, _Draft] = {}
    for index, (ref, member) in _pinned(asks).items():
        ask = asks[index]
        try:
            plan = plan_with(ref.departure, member)
            claim, party = Claim(member=member), party_of(plan, ref, member, ask.passengers)
            new, view = compose(plan, ref, claim, party, ask.key, ask.encode)
            new.fact.update(ask.owner.acting)
            drafts[index] = _Draft(ref, new, view)
        except SeatlockError:
            continue
    return drafts


def _pinned(asks: Sequence[ConfirmAsk]) -> dict[int, tuple[ids.HoldRef, Member]]:
    """By place, the live holds that are the asker's own (P6), pinned in one round trip."""
    refs: dict[int, ids.HoldRef] = {}
    for index, ask in enumerate(asks):
        try:
            refs[index] = ids.read_own(ask.hold, ask.owner.user)
        except SeatlockError:
            continue
    try:
        found = batches.pin_all([(ref, asks[index].owner.sid) for index, ref in refs.items()])
    except AWAY:
        return {}
    return {
        index: (ref, member)
        for (index, ref), member in zip(refs.items(), found, strict=True)
        if member is not None
    }


def _settle(booked: Sequence[_Draft]) -> None:
    """Tell Redis. What it does not hear now it is told by the consumer of the outbox (rule 8)."""
    try:
        settled = batches.settle_all([draft.ref for draft in booked])
        for draft, is_settled in zip(booked, settled, strict=True):
            if not is_settled:
                refresh_seats(departure=draft.ref.departure, seat_ids=draft.new.seats)
    except (redis.exceptions.RedisError, StoreUnavailable):
        logger.warning("booked, but the seat images were not told; they will be", exc_info=True)


def _alone(ask: ConfirmAsk) -> Answered:
    try:
        return confirm_booking(
            owner=ask.owner,
            hold=ask.hold,
            capability=ask.capability,
            passengers=ask.passengers,
            key=ask.key,
            encode=ask.encode,
        )
    except (SeatlockError, KeyKnown, DatabaseError, redis.exceptions.RedisError) as error:
        return error

"""Confirm: a hold becomes a booking (promises P1, P3, P4, P5).

    client            web                       Redis                      PostgreSQL
      | confirm(hold)  |                          |                           |
      |--------------->| pin(hold, owner) ------->| live? owner? pinned: it   |
      |                |<------ seats, fence -----| cannot expire now         |
      |                | booking, seats, fact, key: one statement; COMMIT --->| decides
      |                | settle(hold) ----------->| held bits become sold     |
      |<---- 201 PNR --|                          |                           |

Crash before COMMIT: the pin runs out, and whoever meets it frees the seats (`resolve_pin`). Crash
after: the same finds the booking and settles. An error of COMMIT is not a no: the pin stays.
Redis away: a capability stands in for the pin (`claim_hold`).
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import redis.exceptions
from django.conf import settings

from config import clock
from config.errors import Invalid, StoreUnavailable
from reservations.availability.plans import Plan, forget, plan_of
from reservations.bookings.insert import NewBooking, Verdict
from reservations.bookings.passengers import Passenger, to_json
from reservations.bookings.pnr import new_pnr
from reservations.bookings.shared_commit import on_the_way, write_booking
from reservations.bookings.tombstone import bury
from reservations.bookings.views import BookingView, journey, view_bookings
from reservations.errors import HoldExpired, SeatAlreadyBooked
from reservations.holds import capabilities, ids, store
from reservations.holds.members import Member
from reservations.models import Booking
from reservations.services.claim_hold import Claim, claim_hold
from reservations.services.hold_seats import Owner, RequestKey
from reservations.services.name_passengers import passengers_of
from reservations.services.price_seats import price_booking
from reservations.services.refresh_image import refresh_seats
from reservations.services.resolve_pin import resolve_pin
from trains.fares import ZERO, SeatFare, parts_of

logger = logging.getLogger(__name__)
Encode = Callable[[BookingView], bytes]
Write = Callable[[NewBooking], Verdict]


@dataclass(frozen=True)
class Confirmed:
    """The booking, and whether this call made it (201) or found it made (200)."""

    booking: BookingView
    is_new: bool


@dataclass(frozen=True)
class BookedParty:
    """What each seat costs and who sits there (nobody, or one a seat), in the seats' order."""

    fares: Sequence[SeatFare]
    people: Sequence[Passenger]

    @property
    def total(self) -> Decimal:
        return sum((fare.total for fare in self.fares), ZERO)

    @property
    def passengers(self) -> list[dict[str, Any] | None]:
        return [to_json(each) for each in self.people] or [None] * len(self.fares)


class KeyKnown(Exception):  # not an error of the client: the door replays
    """The Idempotency-Key was used by a request that committed meanwhile."""


@on_the_way()
def confirm_booking(  # noqa: PLR0913  # what API.md's confirm is made of
    *,
    owner: Owner,
    hold: str,
    capability: str | None = None,
    passengers: Sequence[Passenger] = (),
    key: RequestKey | None = None,
    encode: Encode | None = None,
    write: Write | None = None,
) -> Confirmed:
    """Turn my hold into a booking; a repeat finds the booking it made.

    `encode` renders the answer to be kept for `key`. `write` runs instead of `write_booking`, for
    a caller whose own row must change in the same transaction; it has committed when it returns.
    Raises `NotFound` (not mine), `Invalid`, `HoldExpired`, `SeatAlreadyBooked`, `KeyKnown`,
    `StoreUnavailable`, `NotAuthenticated`.
    """
    ref = ids.read_own(hold, owner.user)
    opened = capabilities.open_sealed(capability) if capability else None
    if opened is not None and opened.hold != hold:
        raise Invalid({"capability": ["This is the capability of another hold."]})
    claim = claim_hold(ref, owner, opened)
    if claim is None:
        return _find_booked(ref)
    plan = plan_with(ref.departure, claim.member)
    party = party_of(plan, ref, claim.member, passengers)

    # From here the booking must succeed, or PostgreSQL must say no.
    verdict = Verdict.PNR_KNOWN
    while verdict is Verdict.PNR_KNOWN:
        new, view = compose(plan, ref, claim, party, key, encode)
        new.fact.update(owner.acting)
        verdict = (write or write_booking)(new)
    match verdict:
        case Verdict.BOOKED | Verdict.SETTLED:
            if verdict is Verdict.BOOKED:
                _tell_redis(claim, lambda: _settle(ref, new.seats))
            return Confirmed(view, is_new=True)
        case Verdict.HOLD_KNOWN:
            became = "" if claim.retaken else "expired"
            _tell_redis(claim, lambda: resolve_pin(hold, became=became))
            return _find_booked(ref)
        case Verdict.TOO_LATE:
            bury([ref])  # who is told that it is over shall not find it booked later
            return _find_booked(ref)
        case Verdict.KEY_KNOWN:
            raise KeyKnown
    bury([ref])
    _tell_redis(claim, lambda: _give_back(ref, new.seats))
    raise SeatAlreadyBooked(list(claim.member.labels))


def plan_with(departure: int, member: Member) -> Plan:
    """The plan; read again if this process has one from before the hold's coach was added."""
    plan = plan_of(departure)
    if max(member.ordinals) >= plan.train.places:
        forget(departure)
        plan = plan_of(departure)
    return plan


def party_of(
    plan: Plan, ref: ids.HoldRef, member: Member, passengers: Sequence[Passenger]
) -> BookedParty:
    people = passengers_of(plan, ref, member, passengers)
    return BookedParty(price_booking(plan, member, people), people)


def _find_booked(ref: ids.HoldRef) -> Confirmed:
    """The booking this hold became. Raises `HoldExpired` if it became none."""
    booking = (
        Booking.objects.filter(hold=ref.hold, owner=ref.user)
        .exclude(status=Booking.Status.VOID)
        .first()
    )
    if booking is None:
        raise HoldExpired
    return Confirmed(view_bookings([booking])[0], is_new=False)


def compose(  # noqa: PLR0913, PLR0917  # a booking and its rendering, of the same parts
    plan: Plan,
    ref: ids.HoldRef,
    claim: Claim,
    party: BookedParty,
    key: RequestKey | None,
    encode: Encode | None,
) -> tuple[NewBooking, BookingView]:
    """The booking to write and its view; both are known before PostgreSQL is asked."""
    now, member = clock.now(), claim.member
    seats = [int(plan.train.seat_ids[ordinal]) for ordinal in member.ordinals]
    view = BookingView(
        pnr=new_pnr(),
        status=Booking.Status.CONFIRMED.value,
        hold=ref.hold,
        seats=member.labels,
        passengers=tuple(party.passengers),
        fare=party.total,
        fare_parts=parts_of(party.fares),
        currency=settings.ENV.currency,
        created_at=now,
        **journey(plan, member.from_stop, member.to_stop),
    )
    new = NewBooking(
        hold=ref.hold,
        pnr=view.pnr,
        owner=ref.user,
        departure=ref.departure,
        from_stop=member.from_stop,
        to_stop=member.to_stop,
        fare=party.total,
        currency=view.currency,
        fence=member.fence,
        deadline_ms=claim.deadline_ms,
        created_at=now,
        seats=seats,
        passengers=party.passengers,
        seat_fares=party.fares,
        fact=_fact(plan, view, ref, claim),
    )
    if key is None or encode is None:
        return new, view
    kept = {"key": key.key, "fingerprint": key.fingerprint, "answer": encode(view)}
    return replace(new, **kept), view  # type: ignore[arg-type]  # the three are of these types


def _fact(plan: Plan, view: BookingView, ref: ids.HoldRef, claim: Claim) -> dict[str, Any]:
    """What the booking's fact says: ids rather than personal data.

    `past_redis`: booked by capability alone. Redis, where the hold may have lain all the while,
    may say afterwards that it expired.
    """
    stops, member = plan.train.stops, claim.member
    return {
        "hold": ref.hold,
        "pnr": view.pnr,
        "user": ref.user,
        "departure": ref.departure,
        "train": plan.train.number,
        "service_date": view.service_date,
        "source": stops[member.from_stop].code,
        "destination": stops[member.to_stop].code,
        "from_stop": member.from_stop,
        "to_stop": member.to_stop,
        "seats": member.labels,
        "seat_ids": [int(plan.train.seat_ids[o]) for o in member.ordinals],
        "travel_classes": [plan.train.class_names[plan.train.class_of[o]] for o in member.ordinals],
        "fare": str(view.fare),
        "currency": view.currency,
        **({} if claim.is_pinned else {"past_redis": True}),
    }


def _settle(ref: ids.HoldRef, seats: Sequence[int]) -> None:
    """Settle; its member gone (swept, or Redis lost it): refresh those seats (rule 8)."""
    if not store.settle(ref):
        refresh_seats(departure=ref.departure, seat_ids=seats)


def _give_back(ref: ids.HoldRef, seats: Sequence[int]) -> None:
    """End a hold that PostgreSQL refused, and show whose the seats are."""
    store.free(ref, "released", '{"by":"database"}')
    refresh_seats(departure=ref.departure, seat_ids=seats)


def _tell_redis(claim: Claim, tell: Callable[[], None]) -> None:
    """PostgreSQL has decided, and the answer stands whatever happens here: the outbox consumer
    settles what was booked, the sweep ends what was not. A hold confirmed past Redis is left to
    them altogether.
    """
    if not claim.is_pinned:
        return
    try:
        tell()
    except (redis.exceptions.RedisError, StoreUnavailable):
        logger.warning("decided, but the seat image was not told; it will be", exc_info=True)

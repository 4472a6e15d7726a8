"""Lock: take seats for three minutes, all or none (promises P2, P3, P5).

No SQL query once the departure's plan and image are loaded. Python ranks, the script decides: for
"two together" it gets some sixteen candidate groups and takes the first that is still free; when
all are gone it says stale, and we rank again, a bounded number of times.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from django.conf import settings

from config.errors import Invalid, SeatlockError, StoreUnavailable
from config.idempotency import claims
from reservations.availability.plans import Plan, Stretch, forget, plan_of
from reservations.bookings.passengers import to_json
from reservations.errors import LimitReached, NotEnoughSeats, NotOnSale
from reservations.holds import ids, people, store
from reservations.holds.scripts import Outcome
from reservations.services.choose_seats import (
    SeatWish,
    candidates,
    not_on_sale,
    party,
    resolve_overdue,
    seats_taken,
)
from reservations.services.hold_view import HoldView, view_of
from reservations.services.name_passengers import refuse_wrong_party
from reservations.services.refresh_image import load_image, refresh_departure
from trains.errors import FareMissing
from users.claims import Caller

ATTEMPTS: Final = 24


@dataclass(frozen=True)
class Owner:
    """For whom, and by which login (`sid`, so that the script can refuse one that ended).

    `acting`: who acted, where that is not the owner alone; it goes into the facts.
    """

    user: int
    sid: str
    acting: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, caller: Caller) -> "Owner":
        return cls(caller.user_id, caller.sid, caller.acting)


@dataclass(frozen=True)
class RequestKey:
    """An `Idempotency-Key` with the fingerprint of the request it came with."""

    key: str
    fingerprint: str


def claim_hold_id(*, owner: Owner, departure: int, key: RequestKey) -> str:
    """The hold id of a request with an Idempotency-Key: the same each time, so that a repeat finds
    itself (rule 9). Raises `IdempotencyKeyReused`: the key stands for another request.
    """
    claims.claim(user_id=owner.user, key=key.key, fingerprint=key.fingerprint)
    seed = f"{owner.user}\n{key.key}\n{key.fingerprint}".encode()
    return ids.mint(departure=departure, user=owner.user, seed=seed)


def hold_seats(
    *, owner: Owner, wish: SeatWish, claimed: str | None = None, most_seats: int | None = None
) -> HoldView:
    """Lock the seats wished for, under the id that was claimed for this request, or a new one.

    `most_seats`: HOLD_MAX_SEATS unless told (agents may more).

    Raises `Invalid`, `NotFound` (no such departure), `NotOnSale`, `SeatUnavailable`,
    `NotEnoughSeats`, `LimitReached`, `FareMissing`, `StoreUnavailable`.
    """
    refuse_wrong_numbers(wish, most_seats or settings.ENV.hold_max_seats)
    plan = plan_of(wish.departure)
    refuse_wrong_party(plan, wish.passengers, len(wish.seats) or wish.count)
    stretch = plan.stretch(wish.source, wish.destination)
    hold = claimed or ids.mint(departure=wish.departure, user=owner.user)
    keeping = store.Keeping(answer=claimed is not None)

    for attempt in range(ATTEMPTS):
        try:
            mode, groups = groups_for(plan, stretch, wish, is_keyed=claimed is not None)
        except FareMissing:
            if attempt > 0:
                raise
            plan = _plan_again(wish.departure, attempt)  # it may have been published since
            continue
        if not groups:
            continue
        request = lock_request(plan, stretch, owner, hold, groups)
        answer = store.lock(request, mode=mode, keeping=keeping)
        match answer.outcome:
            case Outcome.HELD:
                assert answer.held is not None  # noqa: S101  # held comes with its hold
                keep_passengers(plan, answer.held, wish)
                return view_of(plan, answer.held)
            case Outcome.LOAD:
                load_image(departure=wish.departure)
            case Outcome.REPLAN:
                plan = _plan_again(wish.departure, attempt)
                stretch = plan.stretch(wish.source, wish.destination)
            case Outcome.OVERDUE:
                resolve_overdue(answer.rest)
            case Outcome.STALE:
                continue
            case _:
                raise _refusal(plan, stretch, answer)
    raise StoreUnavailable("The seats change too fast; try again.")


def keep_passengers(plan: Plan, held: store.Held, wish: SeatWish) -> None:
    """For the confirm; a repeat that finds its hold says the same again."""
    member = held.member
    if named := party(plan, member.ordinals, wish):
        people.keep(ids.read(member.hold), [to_json(each) for each in named])


def refuse_wrong_numbers(wish: SeatWish, most: int) -> None:
    number = len(wish.seats) if wish.seats else wish.count
    if number < 1:
        raise Invalid({"seats": ["Name seats, or give a count of at least 1."]})
    if wish.seats and wish.count not in {0, number}:
        raise Invalid({"count": ["Name seats or give a count, not both."]})
    if number > most:
        raise LimitReached(f"At most {most} seats in one hold.", most)
    if len(set(wish.seats)) != len(wish.seats):
        raise Invalid({"seats": ["A seat is named twice."]})


def groups_for(
    plan: Plan, stretch: Stretch, wish: SeatWish, *, is_keyed: bool
) -> tuple[store.LockMode, list[str]]:
    """The groups to try, and how the script shall take them.

    With a key, too few free seats are for the script to say: a twin of this request, or this very
    request before its answer was lost, may be who has them (rule 9: a repeat finds itself).
    """
    try:
        return "named" if wish.seats else "ranked", candidates(plan, stretch, wish)
    except (NotEnoughSeats, NotOnSale) as refused:
        if not is_keyed:
            raise
        return "short", [str(refused.data.get(name, 0)) for name in ("free", "waitlist")]


def lock_request(
    plan: Plan, stretch: Stretch, owner: Owner, hold: str, groups: list[str]
) -> store.LockRequest:
    """These groups of seats on this stretch, as the lock script takes them."""
    stops = plan.train.stops
    body = {
        "train": plan.train.number,
        "service_date": plan.service_date,
        "source": stops[stretch.from_stop].code,
        "destination": stops[stretch.to_stop].code,
        "from_stop": stretch.from_stop,
        "to_stop": stretch.to_stop,
        "currency": settings.ENV.currency,
        **owner.acting,
    }
    leaves_at = plan.boards_at(stretch)
    opens_at = plan.sale_opens_at if plan.status == "open" else leaves_at
    return store.LockRequest(
        hold=hold,
        user=owner.user,
        sid=owner.sid,
        departure=plan.departure,
        from_stop=stretch.from_stop,
        to_stop=stretch.to_stop,
        revision=plan.revision,
        opens_at_ms=int(opens_at.timestamp() * 1000),
        leaves_at_ms=int(leaves_at.timestamp() * 1000),
        fact_body=msgspec.json.encode(body).decode()[:-1],
        groups=groups,
    )


def _plan_again(departure: int, attempt: int) -> Plan:
    """Our plan and the image's differ: read ours again; if it still differs the image is old."""
    forget(departure)
    if attempt > 0:
        refresh_departure(departure=departure)
    return plan_of(departure)


def _refusal(plan: Plan, stretch: Stretch, answer: store.Answer) -> SeatlockError:
    match answer.outcome:
        case Outcome.TAKEN:
            return seats_taken(plan, stretch, answer.rest)
        case Outcome.SHORT:
            return NotEnoughSeats(*map(int, answer.rest))
        case Outcome.NOT_ON_SALE:
            return not_on_sale(plan, stretch)
        case Outcome.LIMIT:
            limit = settings.ENV.hold_max_per_user
            return LimitReached(f"At most {limit} live holds on one departure.", limit)
    raise AssertionError(f"lock answered {answer.outcome}")

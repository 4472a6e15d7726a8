"""The holds that live now, over all departures."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db import transaction

from config.outbox.facts import Fact, append
from config.stores import keys
from config.stores.redis import holds_store
from config.stores.timing import patiently
from reservations.availability.plans import Plan, plans_of
from reservations.holds import ids, store
from reservations.holds.members import Member, moment
from reservations.holds.states import STAGE
from reservations.services.release_hold import release_hold_as_staff


@dataclass(frozen=True, kw_only=True)
class HoldCount:
    """`confirming`: held on while a confirm is under way."""

    live: int
    confirming: int


@dataclass(frozen=True, kw_only=True)
class LiveHold:
    """One hold as staff see it. Times are the Redis clock's; `fare` is for all seats."""

    hold: str
    status: str
    user: int
    departure: int
    train: str
    service_date: str
    source: str
    destination: str
    seats: tuple[str, ...]
    fare: Decimal
    currency: str
    taken_at: datetime
    expires_at: datetime


@patiently()
def count_live_holds() -> HoldCount:
    """Two round trips, and no member is read. What has run out is not counted, swept or not."""
    client = holds_store()
    seconds, microseconds = client.time()
    now_ms = seconds * 1000 + microseconds // 1000
    departures = _departures_with_holds()
    pipe = client.pipeline(transaction=False)
    for departure in departures:
        pipe.zcount(keys.of(departure, "live"), f"({now_ms}", "+inf")
        pipe.zcard(keys.of(departure, "confirming"))
    counts: list[int] = pipe.execute()
    return HoldCount(live=sum(counts[::2]), confirming=sum(counts[1::2]))


@patiently()
def list_live_holds(
    *, departure: int | None, user: int | None, limit: int, offset: int
) -> tuple[int, list[LiveHold]]:
    """How many live holds there are, and one page of them, soonest deadline first."""
    found = _find(departure, user)
    page = found[offset : offset + limit]
    plans = plans_of({each for each, _ in page})
    return len(found), [_view(plans[each], member) for each, member in page if each in plans]


def free_hold(*, actor: int, sid: str, hold: str, reason: str) -> None:
    """Release somebody's hold, and say who did it and why.

    Raises `NotFound`, `HoldExpired` (it is over), `IllegalState` (its confirm is under way).
    """
    ref = ids.read(hold)
    fact = Fact(
        event_id=f"{hold}:released-by-staff",
        kind="staff.hold-released",
        subject=hold,
        stage=STAGE["hold.released"],
        number=1,
        body={
            "hold": hold,
            "user": ref.user,
            "departure": ref.departure,
            "actor": actor,
            "reason": reason,
        },
    )
    with transaction.atomic():  # a release that is refused leaves no fact
        append(fact)
        release_hold_as_staff(actor=actor, sid=sid, hold=hold, reason=reason)


def _find(departure: int | None, user: int | None) -> list[tuple[int, Member]]:
    if user is not None:
        found = store.holds_of(user)
    elif departure is not None:
        (image,) = store.read_images([departure], members=True)
        found = [(departure, member) for member in image.members]
    else:
        return store.live_holds()
    chosen = [pair for pair in found if departure is None or pair[0] == departure]
    return sorted(chosen, key=lambda pair: pair[1].deadline_ms)


def _departures_with_holds() -> list[int]:
    pipe = holds_store().pipeline(transaction=False)
    for shard in range(keys.SHARDS):
        pipe.zrange(keys.due(shard), 0, -1)
    return [int(departure) for found in pipe.execute() for departure in found]


def _view(plan: Plan, member: Member) -> LiveHold:
    stops = plan.train.stops
    return LiveHold(
        hold=member.hold,
        status="confirming" if member.pinned else "held",
        user=member.user,
        departure=plan.departure,
        train=plan.train.number,
        service_date=plan.service_date.isoformat(),
        source=stops[member.from_stop].code,
        destination=stops[member.to_stop].code,
        seats=member.labels,
        fare=member.fare,
        currency=settings.ENV.currency,
        taken_at=moment(member.taken_at_ms),
        expires_at=member.expires_at,
    )

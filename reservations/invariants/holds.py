"""What must be true of the holds in Redis: their age, their pins, their indexes, their fences."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.db.models import Max

from config.errors import NotFound
from config.stores import keys
from config.stores.redis import holds_store
from reservations.holds import ids
from reservations.holds.members import Member, parse
from reservations.invariants.judging import Check, Look, Scope
from reservations.invariants.memory import departures_in_memory
from reservations.models import Booking

BATCH: Final = 200


@dataclass(frozen=True, kw_only=True)
class _Snapshot:
    """One departure's holds as they lie in Redis, in one instant; nothing was reaped for it."""

    departure: int
    now_ms: int
    members: Sequence[Member]
    unreadable: Sequence[str]
    due_ms: float | None
    fence: int

    def overdue(self, member: Member) -> bool:
        return member.deadline_ms <= self.now_ms


def _snapshots(scope: Scope) -> Iterator[_Snapshot]:
    for departure in departures_in_memory(scope):
        shard = keys.shard(departure)
        pipe = holds_store().pipeline(transaction=True)
        pipe.time()
        pipe.zrange(keys.of(departure, "live"), 0, -1, withscores=True)
        pipe.zrange(keys.of(departure, "confirming"), 0, -1, withscores=True)
        pipe.zscore(keys.due(shard), str(departure))
        pipe.get(keys.of(departure, "fence"))
        (seconds, microseconds), live, confirming, due, fence = pipe.execute()
        members: list[Member] = []
        unreadable: list[str] = []
        for found, pinned in ((live, False), (confirming, True)):
            for text, score in found:
                try:
                    members.append(parse(text, int(score), pinned=pinned))
                except ValueError:
                    unreadable.append(text.decode(errors="replace"))
        yield _Snapshot(
            departure=departure,
            now_ms=int(seconds) * 1000 + int(microseconds) // 1000,
            members=members,
            unreadable=unreadable,
            due_ms=due,
            fence=int(fence or 0),
        )


def _look_at_members(scope: Scope) -> Look:
    wrong: dict[str, int | None] = {}
    seen = 0
    for snapshot in _snapshots(scope):
        seen += len(snapshot.members)
        for words in (
            *(f"the member {text!r} cannot be read" for text in snapshot.unreadable),
            *_ages(snapshot),
            *_identities(snapshot),
        ):
            wrong[f"departure {snapshot.departure}: {words}"] = snapshot.departure
    return Look(seen=seen, wrong=wrong)


def _ages(snapshot: _Snapshot) -> Iterator[str]:
    cap_ms = settings.ENV.longest_hold_seconds * 1000
    pin_ms = settings.ENV.pin_seconds * 1000
    for member in snapshot.members:
        if not member.pinned and member.deadline_ms - member.taken_at_ms > cap_ms:
            yield f"hold {member.hold} lives longer than HOLD_MAX_TOTAL_SECONDS and more"
        elif member.pinned and member.deadline_ms - snapshot.now_ms > max(pin_ms, cap_ms):
            yield f"hold {member.hold} is pinned for longer than any hold may live"


def _identities(snapshot: _Snapshot) -> Iterator[str]:
    times = Counter(member.hold for member in snapshot.members)
    yield from (
        f"hold {hold} is there {number} times" for hold, number in times.items() if number > 1
    )
    earliest = min((member.deadline_ms for member in snapshot.members), default=None)
    if earliest is not None and (snapshot.due_ms is None or snapshot.due_ms > earliest):
        yield "the sweep's index does not know when its first hold ends"
    for member in snapshot.members:
        try:
            ref = ids.read(member.hold)
        except NotFound:
            yield f"hold {member.hold} was not made by this Seatlock"
            continue
        if (ref.departure, ref.user) != (snapshot.departure, member.user):
            yield f"hold {member.hold} is of another departure or user"


def _look_at_pins(scope: Scope) -> Look:
    wrong: dict[str, int | None] = {}
    seen = 0
    for snapshot in _snapshots(scope):
        for member in snapshot.members:
            if not member.pinned:
                continue
            seen += 1
            if snapshot.overdue(member):
                words = f"the pin of {member.hold} ran out and nobody ended it"
            elif scope.at_rest:
                words = f"{member.hold} is pinned, and no confirm runs"
            else:
                continue
            wrong[f"departure {snapshot.departure}: {words}"] = snapshot.departure
    return Look(seen=seen, wrong=wrong)


def _look_at_ends(scope: Scope) -> Look:
    """Holds that PostgreSQL says are over, and that Redis still has."""
    wrong: dict[str, int | None] = {}
    seen = 0
    for snapshot in _snapshots(scope):
        lives = {member.hold: member for member in snapshot.members}
        seen += len(lives)
        rows = Booking.objects.filter(hold__in=list(lives))
        for hold, status, became in rows.values_list("hold", "status", "became"):
            if (status != Booking.Status.VOID or became) and lives[hold].pinned:
                continue  # between COMMIT and settle
            words = f"hold {hold} is {status} in PostgreSQL and still held"
            wrong[f"departure {snapshot.departure}: {words}"] = snapshot.departure
    return Look(seen=seen, wrong=wrong)


def _look_at_fences(scope: Scope) -> Look:
    """The next fence of a departure must be greater than every one that was given."""
    wrong: dict[str, int | None] = {}
    bookings = Booking.objects.exclude(status=Booking.Status.VOID).order_by()
    if scope.departures is not None:
        bookings = bookings.filter(departure__in=scope.departures)
    greatest: defaultdict[int, int] = defaultdict(int)
    greatest.update(bookings.values_list("departure_id").annotate(Max("fence")))
    for snapshot in _snapshots(scope):
        for member in snapshot.members:
            greatest[snapshot.departure] = max(greatest[snapshot.departure], member.fence)
            # One taken again by its capability keeps the fence of a memory that is gone.
            if member.fence > snapshot.fence and not member.pinned:
                words = f"hold {member.hold} has a greater fence than the last one given"
                wrong[f"departure {snapshot.departure}: {words}"] = snapshot.departure
    departures = list(greatest)
    next_ones = _next_fences(departures)
    for departure in departures:
        if greatest[departure] >= next_ones[departure]:
            wrong[f"departure {departure}: the next fence would not be greater"] = departure
    return Look(seen=len(departures), wrong=wrong)


def _next_fences(departures: Sequence[int]) -> dict[int, int]:
    """What the next lock would give: max(last + 1, the time in microseconds)."""
    seconds, microseconds = holds_store().time()
    now_us = int(seconds) * 1_000_000 + int(microseconds)
    last: list[Any] = []
    for start in range(0, len(departures), BATCH):
        pipe = holds_store().pipeline(transaction=False)
        for departure in departures[start : start + BATCH]:
            pipe.get(keys.of(departure, "fence"))
        last += pipe.execute()
    return {
        departure: max(int(fence or 0) + 1, now_us)
        for departure, fence in zip(departures, last, strict=True)
    }


def _look_at_odd(scope: Scope) -> Look:
    del scope
    pipe = holds_store().pipeline(transaction=False)
    for shard in range(keys.SHARDS):
        pipe.llen(keys.odd(shard))
    odd = {keys.odd(shard): number for shard, number in enumerate(pipe.execute()) if number}
    return Look(
        seen=sum(odd.values()),
        wrong={f"{key} has members no script could read": None for key in odd},
    )


HOLD_CHECKS: Final[Sequence[Check]] = (
    Check(
        name="holds-are-sound",
        about="no hold lives longer than its cap; each is there once, readable, known to the sweep",
        look=_look_at_members,
    ),
    Check(
        name="pins-end",
        about="no pin ran out and stayed (rule 6); at rest there is none",
        look=_look_at_pins,
    ),
    Check(
        name="over-is-over",
        about="no hold lives in Redis that PostgreSQL says is booked, cancelled or void",
        look=_look_at_ends,
    ),
    Check(
        name="fences-grow",
        about="the next fence of each departure will be greater than all it has given (rule 10)",
        look=_look_at_fences,
    ),
    Check(
        name="nothing-is-odd",
        about="no member was set aside because no script could read it",
        look=_look_at_odd,
    ),
)

"""Search: departures between two stations on a day, with fares and free counts for that stretch.

A search that is in memory costs one Redis round trip and no query (`availability.timetable`). What
of a row depends on the plan alone is rendered once; only counts are put in anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final

import msgspec
from django.conf import settings

from reservations.api.bodies import AlightingBody, BoardingBody, Money, TrainBody
from reservations.api.departures.bodies import ClassBody, FoundBody
from reservations.availability.find_departures import Found
from reservations.availability.free_now import FreeNow, FreeSeats
from reservations.availability.plans import Plan, Stretch
from reservations.availability.waiting import parties_waiting

# Some 700 bytes each.
ROWS_REMEMBERED: Final = 65_536
EMPTY_TAIL: Final = b'"classes":[],"free":0,"is_full":false}'
_FREE, _WAITLIST = b'"free":0', b'"waitlist":0}'

_encode = msgspec.json.Encoder(decimal_format="string").encode


def describe_found(
    found: Found, free: FreeSeats, *, travel_class: str | None, seats: int
) -> list[FoundBody]:
    """A row for each departure found.

    With a class only that one is shown. `seats` are wanted: a row is full if no class has them.
    """
    return [
        _row(plan, stretch, now, travel_class, seats)
        for (plan, stretch), now in zip(found.runs, free.departures, strict=True)
    ]


def render_found(
    found: Found, free: FreeSeats, *, travel_class: str | None, seats: int
) -> list[msgspec.Raw]:
    """The same rows as JSON."""
    return [
        msgspec.Raw(_rendered(plan, stretch, now, travel_class, seats))
        for (plan, stretch), now in zip(found.runs, free.departures, strict=True)
    ]


def _row(
    plan: Plan, stretch: Stretch, now: FreeNow, travel_class: str | None, seats: int
) -> FoundBody:
    told = _timetable(plan, stretch)
    classes = tuple(
        ClassBody(
            travel_class=name,
            free=now.counts[plan.train.class_names.index(name)],
            fare=fare,
            waitlist=parties_waiting(now.queues, stretch, name),
        )
        for name, fare in told.fares.items()
        if travel_class in {None, name}
    )
    return FoundBody(
        departure=plan.departure,
        train=told.train,
        service_date=plan.service_date,
        source=told.source,
        destination=told.destination,
        duration_minutes=told.duration_minutes,
        distance_km=told.distance_km,
        classes=classes,
        free=sum(each.free for each in classes),
        is_full=all(each.free < seats for each in classes),
    )


def _rendered(
    plan: Plan, stretch: Stretch, now: FreeNow, travel_class: str | None, seats: int
) -> bytes:
    """`_row` as JSON."""
    parts, counts = _parts(plan, stretch), now.counts
    total, is_full, classes = 0, True, []
    for name, at, before, between in parts.classes:
        if travel_class is None or travel_class == name:
            count = counts[at]
            total += count
            is_full = is_full and count < seats
            waitlist = parties_waiting(now.queues, stretch, name) if now.queues else 0
            classes.append(b"%b%d%b%d}" % (before, count, between, waitlist))
    full = b"true" if is_full else b"false"
    return b'%b"classes":[%b],"free":%d,"is_full":%b}' % (
        parts.head,
        b",".join(classes),
        total,
        full,
    )


@dataclass(frozen=True)
class _Parts:
    """A row as JSON, cut where a count belongs. `head`: all before the classes; `classes`: of each
    that is sold its name, its place in `class_names`, and the JSON before and behind its count.
    """

    head: bytes
    classes: Sequence[tuple[str, int, bytes, bytes]]


@lru_cache(maxsize=ROWS_REMEMBERED)
def _parts(plan: Plan, stretch: Stretch) -> _Parts:
    """A plan never changes: what changes is another plan."""
    nothing = FreeNow([0] * len(plan.train.class_names), ())
    row = _row(plan, stretch, nothing, None, 0)
    head = _encode(msgspec.structs.replace(row, classes=(), is_full=False))
    assert head.endswith(EMPTY_TAIL), head  # noqa: S101  # what is cut off
    names, classes = plan.train.class_names, []
    for each in row.classes:
        before, _, after = _encode(each).partition(_FREE)
        between = after.removesuffix(_WAITLIST) + _WAITLIST[:-2]
        cut = (before + _FREE[:-1], between)
        classes.append((each.travel_class, names.index(each.travel_class), *cut))
    return _Parts(head.removesuffix(EMPTY_TAIL), classes)


@dataclass(frozen=True)
class _Timetable:
    """What of a row depends on the plan alone. `fares` by class, of those that are sold."""

    train: TrainBody
    source: BoardingBody
    destination: AlightingBody
    duration_minutes: int
    distance_km: float
    fares: Mapping[str, Money]


def _timetable(plan: Plan, stretch: Stretch) -> _Timetable:
    train = plan.train
    boards, alights = train.stops[stretch.from_stop], train.stops[stretch.to_stop]
    boards_at, alights_at = plan.boards_at(stretch), plan.alights_at(stretch)
    return _Timetable(
        train=TrainBody(train.number, train.name),
        source=BoardingBody(boards.code, boards.name, boards_at),
        destination=AlightingBody(alights.code, alights.name, alights_at),
        duration_minutes=int((alights_at - boards_at).total_seconds()) // 60,
        distance_km=kilometres(plan.distance_km(stretch)),
        fares={
            name: Money(plan.fare(stretch, name), settings.ENV.currency)
            for name in train.class_names
            if plan.has_fare(name)
        },
    )


def kilometres(distance: Decimal) -> float:
    """A distance as a JSON number; it is to 0.1 km and no money."""
    return float(distance)

"""Search: departures between two stations on a day, with fares and free counts for that stretch.

20 rows cost two queries and one Redis round trip once their trains are in memory; at most seven
queries more when nothing is (four for trains, one for fares, two for images nobody loaded yet).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final

from django.conf import settings

from reservations.api.bodies import AlightingBody, BoardingBody, Money, TrainBody
from reservations.api.departures.bodies import ClassBody, FoundBody
from reservations.availability.find_departures import Found
from reservations.availability.plans import Plan, Stretch
from reservations.availability.ranking import count_free
from reservations.availability.seat_states import SeatState, read_states
from reservations.availability.waiting import parties_waiting

ROWS_REMEMBERED: Final = 16_384


def describe_found(
    found: Found, *, travel_class: str | None, seats: int
) -> tuple[list[FoundBody], bool]:
    """A row for each departure found, and whether the counts are stale (Redis is away).

    With a class only that one is shown. `seats` are wanted: a row is full if no class has them.
    """
    states = read_states({plan.departure: plan for plan, _ in found.runs})
    rows = [
        _row(plan, stretch, states[plan.departure], travel_class, seats)
        for plan, stretch in found.runs
    ]
    return rows, any(state.stale for state in states.values())


def _row(
    plan: Plan, stretch: Stretch, state: SeatState, travel_class: str | None, seats: int
) -> FoundBody:
    train = plan.train
    told = _timetable(plan, stretch)
    counts = count_free(train, state.taken, stretch)
    classes = tuple(
        ClassBody(
            travel_class=name,
            free=counts[name],
            fare=fare,
            waitlist=parties_waiting(state.queues, stretch, name),
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


@dataclass(frozen=True)
class _Timetable:
    """What of a row depends on the plan alone. `fares` by class, of those that are sold."""

    train: TrainBody
    source: BoardingBody
    destination: AlightingBody
    duration_minutes: int
    distance_km: float
    fares: Mapping[str, Money]


@lru_cache(maxsize=ROWS_REMEMBERED)
def _timetable(plan: Plan, stretch: Stretch) -> _Timetable:
    """A plan never changes: what changes is another plan."""
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

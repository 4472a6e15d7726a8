"""A departure's seats as its page shows them: coach by coach, one of them drawn."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from reservations.api.departures.bodies import SeatBody, SeatMapBody
from reservations.api.departures.seat_map import current_state, render_seats
from reservations.availability.plans import Plan, PlannedCoach, Stretch
from trains.classes import sort_key
from web.seats.drawing import Box, Drawing, draw
from web.visitor import Visitor

_decode = msgspec.json.Decoder(SeatMapBody).decode


@dataclass(frozen=True)
class CoachSummary:
    """A coach in the strip. `taken_percent` of its seats are not free."""

    label: str
    travel_class: str
    seats: int
    free: int

    @property
    def taken_percent(self) -> int:
        return round(100 * (self.seats - self.free) / self.seats) if self.seats else 100


@dataclass(frozen=True)
class ClassSummary:
    """A class of this train on the stretch; without a fare it is not sold."""

    code: str
    free: int
    fare: Decimal | None


@dataclass(frozen=True)
class DrawnSeat:
    seat: SeatBody
    box: Box


@dataclass(frozen=True)
class DrawnCoach:
    """The coach in view: its picture, its seats in order, and what one costs."""

    summary: CoachSummary
    drawing: Drawing
    seats: tuple[DrawnSeat, ...]
    fare: Decimal | None
    units: tuple[tuple[int, tuple[DrawnSeat, ...]], ...]


@dataclass(frozen=True)
class SeatsSeen:
    """All seats of a departure on one stretch, as of now."""

    plan: Plan
    stretch: Stretch
    body: SeatMapBody

    @property
    def taken(self) -> dict[str, list[object]]:
        """The seats that are not free: status, and when a hold ends (ms since the epoch)."""
        return {
            each.seat: [
                each.status,
                int(each.held_until.timestamp() * 1000) if each.held_until else None,
            ]
            for each in self.body.seats
            if each.status != "free"
        }


def see_seats(
    departure: int, source: str | None, destination: str | None, visitor: Visitor | None
) -> SeatsSeen:
    """The seats on a stretch; no stations: all the way. Raises `NotFound`, `Invalid`."""
    plan, state = current_state(departure)
    stops = plan.train.stops
    stretch = plan.stretch(source or stops[0].code, destination or stops[-1].code)
    rendered = render_seats(plan, state, stretch, visitor.id if visitor else None)
    return SeatsSeen(plan=plan, stretch=stretch, body=_decode(rendered))


def summaries(seen: SeatsSeen) -> list[CoachSummary]:
    """The coaches in running order."""
    by_coach = _by_coach(seen.body.seats)
    return [_summary(coach, by_coach[coach.label]) for coach in seen.plan.train.coaches]


def classes(seen: SeatsSeen, coaches: Sequence[CoachSummary]) -> list[ClassSummary]:
    """The classes on board, dearest first."""
    free: defaultdict[str, int] = defaultdict(int)
    for coach in coaches:
        free[coach.travel_class] += coach.free
    return [
        ClassSummary(code=code, free=free[code], fare=fare_of(seen, code))
        for code in sorted(free, key=sort_key)
    ]


def fare_of(seen: SeatsSeen, travel_class: str) -> Decimal | None:
    """What a seat costs an adult; None: the class is not sold on this date."""
    plan = seen.plan
    return plan.fare(seen.stretch, travel_class) if plan.has_fare(travel_class) else None


def drawn_coach(seen: SeatsSeen, label: str) -> DrawnCoach:
    """One coach, drawn."""
    coach = next(each for each in seen.plan.train.coaches if each.label == label)
    bodies = _by_coach(seen.body.seats)[label]
    drawing = draw(coach, {each.number: each.position for each in bodies})
    seats = tuple(DrawnSeat(seat=each, box=drawing.seats[each.number]) for each in bodies)
    return DrawnCoach(
        summary=_summary(coach, bodies),
        drawing=drawing,
        seats=seats,
        fare=fare_of(seen, coach.travel_class),
        units=_in_units(coach, seats),
    )


def _in_units(
    coach: PlannedCoach, seats: Sequence[DrawnSeat]
) -> tuple[tuple[int, tuple[DrawnSeat, ...]], ...]:
    """The seats by bay or row, counted from 1, for the list that is read instead of the picture."""
    size = len(coach.places) or 4
    units: defaultdict[int, list[DrawnSeat]] = defaultdict(list)
    for each in seats:
        units[(each.seat.number - 1) // size + 1].append(each)
    return tuple((at, tuple(found)) for at, found in sorted(units.items()))


def _summary(coach: PlannedCoach, seats: Sequence[SeatBody]) -> CoachSummary:
    free = sum(each.status == "free" for each in seats)
    return CoachSummary(coach.label, coach.travel_class, len(seats), free)


def _by_coach(seats: Sequence[SeatBody]) -> defaultdict[str, list[SeatBody]]:
    found: defaultdict[str, list[SeatBody]] = defaultdict(list)
    for each in seats:
        found[each.coach].append(each)
    return found

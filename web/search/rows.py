"""The departures found, with local times, sorted and filtered as asked."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from reservations.api.departures.bodies import ClassBody, FoundBody
from reservations.api.departures.search import describe_found
from reservations.availability.find_departures import Journey
from reservations.availability.timetable import search
from web.search.asked import Asked

ROWS_MAX: Final = 100


@dataclass(frozen=True)
class Row:
    """One departure; times as the stations' clocks show them."""

    found: FoundBody
    departs: datetime
    arrives: datetime
    seats: int

    @property
    def cheapest(self) -> Decimal | None:
        """The lowest fare of a class that has room for the party, or of any."""
        fares = [each.fare.amount for each in self.open_classes or self.found.classes]
        return min(fares, default=None)

    @property
    def open_classes(self) -> list[ClassBody]:
        return [each for each in self.found.classes if each.free >= self.seats]


@dataclass(frozen=True)
class Answer:
    """Rows to show, how many the filters hid, and whether holds could not be seen (`stale`)."""

    rows: list[Row]
    hidden: int
    stale: bool


def answer(asked: Asked) -> Answer:
    """Search with a question whose stations are known. Raises `Invalid`, `NotOnSale`."""
    stations = asked.stations
    if stations is None or asked.day is None:
        return Answer([], 0, stale=False)
    source, destination = stations
    journey = Journey(
        source=source.code,
        destination=destination.code,
        day=asked.day,
        travel_class=asked.travel_class or None,
    )
    found, free = search(journey, limit=ROWS_MAX, offset=0)
    bodies = describe_found(found, free, travel_class=journey.travel_class, seats=asked.seats)
    rows = [
        Row(
            found=body,
            departs=_local(body.source.departs_at, plan.train.stops[stretch.from_stop].timezone),
            arrives=_local(body.destination.arrives_at, plan.train.stops[stretch.to_stop].timezone),
            seats=asked.seats,
        )
        for body, (plan, stretch) in zip(bodies, found.runs, strict=True)
    ]
    kept = [row for row in rows if _fits(row, asked)]
    kept.sort(key=_KEYS[asked.sort])
    return Answer(kept, len(rows) - len(kept), free.stale)


def _local(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone))


def _fits(row: Row, asked: Asked) -> bool:
    if asked.only_free and row.found.is_full:
        return False
    return not asked.time or _part_of_day(row.departs) == asked.time


def _part_of_day(moment: datetime) -> str:
    return ("early", "morning", "afternoon", "night")[moment.hour // 6]


_DEAR: Final = Decimal("Infinity")
_KEYS: Final[dict[str, Callable[[Row], Any]]] = {
    "departure": lambda row: row.departs,
    "arrival": lambda row: row.arrives,
    "duration": lambda row: row.found.duration_minutes,
    "fare": lambda row: _DEAR if row.cheapest is None else row.cheapest,
    "free": lambda row: -row.found.free,
}

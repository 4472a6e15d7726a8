"""The shape of a train and of one departure, as the engine needs it: read once, then in memory.

A `TrainPlan` is shared by all departures of its train. It belongs to one `revision` of the train
and is never changed: a train that changes gets another plan. Plans are compared by identity.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from config.errors import Invalid
from reservations.availability.stretches import Stretch, words_for
from trains.errors import FareMissing
from trains.fares import Concession, FareTable, SeatFare, seat_fare
from trains.sale import SaleState, moment_at, sale_state

NO_SEAT = -1


@dataclass(frozen=True, slots=True)
class PlannedStop:
    """A stop in order of the train. Seconds count from the start of the service day."""

    code: str
    name: str
    timezone: str
    arrival_seconds: int
    departure_seconds: int
    distance_km: Decimal
    pickup: bool
    drop_off: bool


@dataclass(frozen=True, slots=True)
class PlannedCoach:
    """A coach in running order.

    `unit` ("bay", "row", or "" without a template) is what repeats along the coach, `places` the
    `(x, y, deck)` of each seat in one unit: seat n sits in unit `(n - 1) // len(places)`.
    """

    label: str
    travel_class: str
    template: str
    order: int
    unit: str
    places: tuple[tuple[float, float, int], ...]


@dataclass(frozen=True, eq=False)
class TrainPlan:
    """A train at one revision: its stops and its seats.

    Arrays and tuples about seats are indexed by ordinal, the seat's place in the seat image. A
    place without a seat has `seat_ids == NO_SEAT`, the label "" and is in no class.

    - `seat_ids` int64, `class_of` int16 (index into `class_names`), `coach_of` int16 (index into
      `coaches`), `numbers` int16
    - `labels` as people write them, "S1-12"; `positions` "window", "lower", …
    - `classes`: travel class -> its ordinals, ascending (int64)
    """

    id: int
    number: str
    name: str
    mode: str
    timezone: str
    revision: int
    stops: tuple[PlannedStop, ...]
    coaches: tuple[PlannedCoach, ...]
    seat_ids: NDArray[np.int64]
    labels: tuple[str, ...]
    ordinal_of: Mapping[str, int]
    class_names: tuple[str, ...]
    class_of: NDArray[np.int16]
    coach_of: NDArray[np.int16]
    numbers: NDArray[np.int16]
    positions: tuple[str, ...]
    classes: Mapping[str, NDArray[np.int64]]
    superfast: bool = False

    @property
    def legs(self) -> int:
        return len(self.stops) - 1

    @cached_property
    def words(self) -> int:
        """How many 32-bit words a seat takes in the image."""
        return words_for(self.legs)

    @property
    def places(self) -> int:
        """How many places the image has: the highest ordinal + 1."""
        return len(self.labels)

    @cached_property
    def seat_count(self) -> int:
        return len(self.ordinal_of)

    @cached_property
    def stops_at(self) -> Mapping[str, tuple[int, ...]]:
        """Station code, and its upper-case form, -> the sequences at which the train is there."""
        found: dict[str, tuple[int, ...]] = {}
        for sequence, stop in enumerate(self.stops):
            found[stop.code] = (*found.get(stop.code, ()), sequence)
        return {code.upper(): where for code, where in found.items()} | found

    def travel_class_of(self, ordinal: int) -> str:
        return self.class_names[int(self.class_of[ordinal])]

    def visits(self, code: str) -> tuple[int, ...]:
        """The sequences at which the train stops at a station; empty if it never does."""
        return self.stops_at.get(code) or self.stops_at.get(code.upper(), ())

    def stretch(self, source: str, destination: str) -> Stretch:
        """The stretch between two stations, given by code.

        Of a station visited more than once it takes the pair that is closest together, then the
        first. Raises `Invalid` with `source` or `destination`: not a stop of this train, in the
        wrong order, or nobody may board or leave there.
        """
        starts, ends = self.visits(source), self.visits(destination)
        unknown = {
            name: [f"{self.number} does not stop at {code}."]
            for name, code, where in (
                ("source", source, starts),
                ("destination", destination, ends),
            )
            if not where
        }
        if unknown:
            raise Invalid(unknown)
        pairs = [(start, end) for start in starts for end in ends if start < end]
        if not pairs:
            raise Invalid({"destination": [f"{destination} does not come after {source}."]})
        boarding = [pair for pair in pairs if self.stops[pair[0]].pickup]
        if not boarding:
            raise Invalid({"source": [f"Nobody may board {self.number} at {source}."]})
        allowed = [pair for pair in boarding if self.stops[pair[1]].drop_off]
        if not allowed:
            raise Invalid({"destination": [f"Nobody may leave {self.number} at {destination}."]})
        return Stretch(*min(allowed, key=lambda pair: (pair[1] - pair[0], pair[0])))


@dataclass(frozen=True, eq=False)
class Plan:
    """One departure of a train: what the engine must know of it besides its seat image.

    `starts_at` is the moment its service day begins, in UTC; stop times count from there.
    """

    departure: int
    train: TrainPlan
    service_date: date
    starts_at: datetime
    ends_at: datetime
    status: str
    sale_opens_at: datetime
    fare_factor: Decimal
    departure_revision: int
    fares: FareTable | None = None

    @cached_property
    def revision(self) -> str:
        """Moves whenever anything in this plan does: `<train>.<departure>.<fare table>-<its>`."""
        fares = f"{self.fares.id}-{self.fares.revision}" if self.fares else "0"
        return f"{self.train.revision}.{self.departure_revision}.{fares}"

    def stretch(self, source: str, destination: str) -> Stretch:
        """See `TrainPlan.stretch`."""
        return self.train.stretch(source, destination)

    def distance_km(self, stretch: Stretch) -> Decimal:
        stops = self.train.stops
        return stops[stretch.to_stop].distance_km - stops[stretch.from_stop].distance_km

    def has_fare(self, travel_class: str) -> bool:
        """Whether the fare table of the service date names the class; else it is not sold."""
        return self.fares is not None and self.fares.rates(travel_class) is not None

    def seat_fare(
        self, stretch: Stretch, travel_class: str, concession: Concession | None = None
    ) -> SeatFare:
        """What one seat costs one passenger, in the currency of the house, by its parts.

        Raises `FareMissing`.
        """
        rates = self.fares.rates(travel_class) if self.fares else None
        if rates is None:
            raise FareMissing(travel_class, self.service_date)
        return seat_fare(
            rates,
            distance_km=self.distance_km(stretch),
            factor=self.fare_factor,
            superfast=self.train.superfast,
            concession=concession,
        )

    def fare(self, stretch: Stretch, travel_class: str) -> Decimal:
        """What one seat costs an adult. Raises `FareMissing`."""
        return self.seat_fare(stretch, travel_class).total

    def boards_at(self, stretch: Stretch) -> datetime:
        """When the train leaves the boarding stop, in UTC; the stretch is on sale until then."""
        stop = self.train.stops[stretch.from_stop]
        return moment_at(self.starts_at, stop.departure_seconds)

    def alights_at(self, stretch: Stretch) -> datetime:
        """When the train arrives at the end of the stretch, in UTC."""
        stop = self.train.stops[stretch.to_stop]
        return moment_at(self.starts_at, stop.arrival_seconds)

    def sale_state(self, stretch: Stretch, now: datetime) -> SaleState:
        """Whether the stretch can be bought at `now`, or why not."""
        return sale_state(
            now=now,
            status=self.status,
            sale_opens_at=self.sale_opens_at,
            boards_at=self.boards_at(stretch),
        )

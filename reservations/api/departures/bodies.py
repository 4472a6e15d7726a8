"""What the availability calls answer: the types that render and describe them."""

from datetime import date, datetime
from typing import Literal

import msgspec

from reservations.api.bodies import AlightingBody, BoardingBody, Money, TrainBody


class ClassBody(msgspec.Struct, frozen=True):
    """A travel class on one stretch: seats free over all of it, and the fare of one seat."""

    travel_class: str
    free: int
    fare: Money
    waitlist: int


class FoundBody(msgspec.Struct, frozen=True):
    """One departure between the two stations. `free` counts the classes shown; `is_full`: no
    class has as many free seats as were asked for.
    """

    departure: int
    train: TrainBody
    service_date: date
    source: BoardingBody
    destination: AlightingBody
    duration_minutes: int
    distance_km: float
    classes: tuple[ClassBody, ...]
    free: int
    is_full: bool


class FoundPage(msgspec.Struct, frozen=True):
    """Departures by time of boarding. `stale`: holds could not be seen, only bookings."""

    count: int
    next: str | None
    previous: str | None
    results: list[FoundBody]
    stale: bool


class TrainWithModeBody(msgspec.Struct, frozen=True):
    number: str
    name: str
    mode: str


class StopBody(msgspec.Struct, frozen=True):
    """A stop, in UTC and as the station's clock shows it; the first has no arrival, the last no
    departure.
    """

    code: str
    name: str
    timezone: str
    arrives_at: datetime | None
    departs_at: datetime | None
    local_arrival: datetime | None
    local_departure: datetime | None
    distance_km: float
    pickup: bool
    drop_off: bool


class CoachBody(msgspec.Struct, frozen=True):
    """A coach in running order; `free` counts seats that are free over the whole run."""

    label: str
    travel_class: str
    seats: int
    free: int


class DepartureBody(msgspec.Struct, frozen=True):
    """One departure. `sale_state` is "open", "not yet open", "closed", or "left" when nobody can
    board any more; `live_url` is the socket on which its seats are told as they change.
    """

    departure: int
    train: TrainWithModeBody
    service_date: date
    stops: list[StopBody]
    coaches: list[CoachBody]
    on_sale: bool
    sale_state: str
    sale_opens_at: datetime
    as_of: datetime
    stale: bool
    live_url: str


class SeatBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """A seat on the stretch. `held_until`: when it comes free if the hold is not confirmed."""

    seat: str
    coach: str
    number: int
    travel_class: str
    position: str
    status: Literal["free", "held", "sold", "blocked", "mine"]
    held_until: datetime | None = None


class SeatMapBody(msgspec.Struct, frozen=True):
    """Every seat of a departure on one stretch, coach by coach."""

    departure: int
    source: str
    destination: str
    as_of: datetime
    stale: bool
    free: int
    seats: list[SeatBody]

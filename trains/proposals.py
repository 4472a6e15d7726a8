"""A train as staff propose it, and the checks that need no store.

The words are the API's: a stop has a clock time and a day, a coach a label and a number of
seats. What comes out are the timetable's: seconds after the start of the service day. Every check
raises `Invalid` with the path of the field in the full form (`stops.3.arrival`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Final

from config.errors import Invalid
from trains import limits
from trains.geography import great_circle_km
from trains.models import Station

DAY_SECONDS: Final = 86_400
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""In the order of the bits of `ServiceCalendar.weekdays`."""
DAILY: Final = 0b1111111
LEG_KM_UNKNOWN: Final = Decimal(10)
"""Taken for a leg nobody measured, between stations that lie nowhere."""
LEG_KM_MIN: Final = Decimal(1)


@dataclass(frozen=True, kw_only=True)
class ProposedStop:
    """`arrival` and `departure` in seconds after midnight; `day` is that of the arrival (of the
    departure, where there is no arrival), and counts from any number: the first stop's is the
    service day. None of a time: the same as the other; of a day: the earliest that fits; of a
    distance: great circle.
    """

    station: str
    arrival: int | None = None
    departure: int | None = None
    day: int | None = None
    distance_km: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class ProposedCoach:
    """`seats` None takes the template's number; `template` None the usual one of the class."""

    label: str
    travel_class: str
    seats: int | None = None
    template: str | None = None


@dataclass(frozen=True, kw_only=True)
class TrainProposal:
    """A whole train; `weekdays` has a bit per weekday, bit 0 Monday."""

    number: str
    name: str
    mode: str
    stops: Sequence[ProposedStop]
    coaches: Sequence[ProposedCoach]
    weekdays: int


@dataclass(frozen=True)
class StopTimes:
    """Seconds after the start of the service day."""

    arrival_seconds: int
    departure_seconds: int


def weekday_bits(names: Sequence[str]) -> int:
    """`["mon", "wed"]` as bits; names must be of `WEEKDAYS`."""
    return sum(1 << WEEKDAYS.index(name) for name in set(names))


def weekday_names(bits: int) -> list[str]:
    return [name for bit, name in enumerate(WEEKDAYS) if bits >> bit & 1]


def time_stops(stops: Sequence[ProposedStop]) -> list[StopTimes]:
    """Put the stops' clock times in one line. Raises `Invalid` where time runs backwards."""
    if not limits.STOPS_MIN <= len(stops) <= limits.STOPS_MAX:
        raise Invalid({"stops": [f"Give {limits.STOPS_MIN} to {limits.STOPS_MAX} stops."]})
    first_day = stops[0].day if stops[0].day is not None else 1
    times: list[StopTimes] = []
    for index, stop in enumerate(stops):
        earliest = times[-1].departure_seconds if times else 0
        times.append(_time_stop(stop, index=index, first_day=first_day, earliest=earliest))
    if times[-1].arrival_seconds <= times[0].departure_seconds:
        raise Invalid({f"stops.{len(stops) - 1}.arrival": ["The run must take some time."]})
    return times


def _time_stop(stop: ProposedStop, *, index: int, first_day: int, earliest: int) -> StopTimes:
    arrival = stop.arrival if stop.arrival is not None else stop.departure
    departure = stop.departure if stop.departure is not None else stop.arrival
    if arrival is None or departure is None:
        raise Invalid({f"stops.{index}": ["Give an arrival or a departure."]})
    if stop.day is not None:
        arrives = (stop.day - first_day) * DAY_SECONDS + arrival
    else:
        days_before = (earliest - arrival + DAY_SECONDS - 1) // DAY_SECONDS if index else 0
        arrives = days_before * DAY_SECONDS + arrival
    if arrives < earliest:
        raise Invalid(
            {f"stops.{index}": ["It is reached before the train leaves the stop before."]}
        )
    waits = (departure - arrival) % DAY_SECONDS
    if arrives + waits > limits.RUN_DAYS_MAX * DAY_SECONDS:
        raise Invalid({f"stops.{index}.day": [f"A run takes at most {limits.RUN_DAYS_MAX} days."]})
    return StopTimes(arrival_seconds=arrives, departure_seconds=arrives + waits)


def measure_stops(stops: Sequence[ProposedStop], stations: Sequence[Station]) -> list[Decimal]:
    """Kilometres from the first stop, to 0.1: as given, else great circle from stop to stop.

    Raises `Invalid` where the distance shrinks.
    """
    start = stops[0].distance_km or Decimal(0)
    measured = [Decimal("0.0")]
    for index in range(1, len(stops)):
        given = stops[index].distance_km
        if given is None:
            at = measured[-1] + leg_km(stations[index - 1], stations[index])
        else:
            at = (given - start).quantize(Decimal("0.1"))
        if at < measured[-1]:
            raise Invalid({f"stops.{index}.distance_km": ["It is less than at the stop before."]})
        if at > limits.DISTANCE_KM_MAX:
            raise Invalid({f"stops.{index}.distance_km": [f"At most {limits.DISTANCE_KM_MAX}."]})
        measured.append(at)
    return measured


def leg_km(source: Station, destination: Station) -> Decimal:
    """Great circle of two stations; a round figure where one of them lies nowhere."""
    here = (source.latitude, source.longitude)
    there = (destination.latitude, destination.longitude)
    if here[0] is None or here[1] is None or there[0] is None or there[1] is None:
        return LEG_KM_UNKNOWN
    length_km = Decimal(great_circle_km(here[0], here[1], there[0], there[1]))
    return max(LEG_KM_MIN, length_km.quantize(Decimal("0.1")))


def check_neighbours(stations: Sequence[Station]) -> None:
    """A train may come back to a station, but it does not run from a station to itself."""
    for index, (before, here) in enumerate(pairwise(stations), start=1):
        if before.pk == here.pk:
            raise Invalid({f"stops.{index}.station": ["It is the stop before."]})


def check_coaches(coaches: Sequence[tuple[str, int]]) -> None:
    """Judge (label, seats) of all coaches of a train. Raises `Invalid`."""
    if not 1 <= len(coaches) <= limits.COACHES_MAX:
        raise Invalid({"coaches": [f"Give 1 to {limits.COACHES_MAX} coaches."]})
    seen: set[str] = set()
    for index, (label, _) in enumerate(coaches):
        # Labels that differ in case only are one label to whoever reads them out at a platform.
        if label.casefold() in seen:
            raise Invalid({f"coaches.{index}.label": ["Another coach has this label."]})
        seen.add(label.casefold())
    if sum(seats for _, seats in coaches) > limits.TRAIN_SEATS_MAX:
        raise Invalid({"coaches": [f"A train has at most {limits.TRAIN_SEATS_MAX} seats."]})

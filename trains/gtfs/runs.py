"""One trip of a feed as a run: every stop with its times and its distance. Nothing is stored here.

A trip whose rows contradict each other is refused with the feed (`FeedBroken`); one that is
valid but cannot be sold by the seat is left out with a reason (`NotSellable`).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from trains import limits
from trains.gtfs.distances import Point, along_great_circles, along_shape
from trains.gtfs.errors import FeedBroken
from trains.gtfs.interpolate import fill_between

FILE: Final = "stop_times.txt"


@dataclass(frozen=True, slots=True)
class Call:
    """A row of `stop_times.txt`: times in seconds of the service day, distance as in the feed."""

    line: int
    station_id: int | None
    arrival: int | None
    departure: int | None
    shape_distance: float | None
    pickup: bool
    drop_off: bool
    latitude: float | None
    longitude: float | None

    @property
    def point(self) -> Point | None:
        if self.latitude is None or self.longitude is None:
            return None
        return (self.latitude, self.longitude)


@dataclass(frozen=True, slots=True)
class RunStop:
    station_id: int
    arrival: int
    departure: int
    distance_km: float
    pickup: bool
    drop_off: bool


@dataclass(frozen=True, slots=True)
class Run:
    """The stops of one run of a train; `overlaps` counts stays that were cut short."""

    stops: tuple[RunStop, ...]
    overlaps: int
    has_distance: bool

    @property
    def duration_seconds(self) -> int:
        return self.stops[-1].arrival - self.stops[0].departure

    @property
    def distance_km(self) -> float:
        return self.stops[-1].distance_km


class NotSellable(Exception):
    """A valid trip that cannot be sold by the seat; the message says why, without the trip."""


def build_run(calls: Sequence[Call], *, shape_unit_km: float | None) -> Run:
    """Make a run of a trip's calls in order of `stop_sequence`.

    `shape_unit_km` is the feed's unit of distance, None when its distances are not to be used.
    """
    if any(call.station_id is None for call in calls):
        raise NotSellable("it stops on demand, not at stations")
    if not limits.STOPS_MIN <= len(calls) <= limits.STOPS_MAX:
        raise NotSellable(f"it has not {limits.STOPS_MIN} to {limits.STOPS_MAX} stops")
    arrivals, departures, overlaps = _known_times(calls)
    if (arrivals[-1] or 0) > limits.RUN_DAYS_MAX * 86_400:
        raise NotSellable(f"it is under way for more than {limits.RUN_DAYS_MAX} days")
    way = _way_km(calls, shape_unit_km)
    times = fill_between(arrivals, departures, way)
    stops = tuple(
        RunStop(
            station_id=call.station_id or 0,
            arrival=arrival,
            departure=departure,
            distance_km=round(way[index], 1) if way else 0.0,
            pickup=call.pickup,
            drop_off=call.drop_off,
        )
        for index, (call, (arrival, departure)) in enumerate(zip(calls, times, strict=True))
    )
    return Run(stops=stops, overlaps=overlaps, has_distance=way is not None)


def shifted(run: Run, seconds: int) -> Run:
    """The same run, so many seconds later."""
    stops = tuple(
        RunStop(
            stop.station_id,
            stop.arrival + seconds,
            stop.departure + seconds,
            stop.distance_km,
            stop.pickup,
            stop.drop_off,
        )
        for stop in run.stops
    )
    return Run(stops=stops, overlaps=run.overlaps, has_distance=run.has_distance)


def signature(run: Run, timezone: str) -> str:
    """What makes two runs one train: the zone, and stations, times and rules of all stops.

    `trains.gtfs.matching` computes the same text from the stored stops.
    """
    text = ";".join(
        f"{stop.station_id},{stop.arrival},{stop.departure},{int(stop.pickup)},{int(stop.drop_off)}"
        for stop in run.stops
    )
    return hashlib.md5(f"{timezone}|{text}".encode(), usedforsecurity=False).hexdigest()


def _way_km(calls: Sequence[Call], shape_unit_km: float | None) -> list[float] | None:
    if shape_unit_km is not None:
        shape = along_shape([call.shape_distance for call in calls])
        if shape is not None and shape[-1] * shape_unit_km <= limits.DISTANCE_KM_MAX:
            return [one * shape_unit_km for one in shape]
    return along_great_circles([call.point for call in calls])


def _known_times(
    calls: Sequence[Call],
) -> tuple[list[int | None], list[int | None], int]:
    """Arrivals and departures as given, one standing in for the other; and the overlaps.

    Feeds that round times or guess the length of stays let a train leave a stop a minute after it
    reaches the next one. Such a stay ends when the next stop is reached. A train that *reaches*
    a stop before the one before it goes back in time: the feed is broken.
    """
    arrivals: list[int | None] = []
    departures: list[int | None] = []
    overlaps = 0
    last: int | None = None
    for index, call in enumerate(calls):
        arrival = call.departure if call.arrival is None else call.arrival
        departure = call.arrival if call.departure is None else call.departure
        arrivals.append(arrival)
        departures.append(departure)
        if arrival is None or departure is None:
            if index in {0, len(calls) - 1}:
                raise _broken(call, "the first and the last stop of a trip need a time")
            continue
        if departure < arrival:
            raise _broken(call, "departure_time lies before arrival_time")
        if last is not None and arrival < (departures[last] or 0):
            if arrival < (arrivals[last] or 0):
                raise _broken(call, "the train is here before it was at the stop before")
            departures[last] = arrival
            overlaps += 1
        last = index
    return arrivals, departures, overlaps


def _broken(call: Call, reason: str) -> FeedBroken:
    return FeedBroken(file=FILE, line=call.line, reason=reason)

"""How far along its way each stop of a train lies, in kilometres from the first.

The feed's own `shape_dist_traveled` is best, but GTFS gives it no unit. A way is never shorter
than the great circles between its stops, and of many trips some run nearly straight, so the low
end of the ratios of the two tells kilometres from miles, metres and feet. Where the feed is
silent or makes no sense, great circles it is.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from trains.geography import great_circle_km

Point = tuple[float, float]
"""Latitude and longitude, WGS 84 degrees."""

# Highest ratio of the feed's distance to the great circle in km, and the unit it speaks for.
_UNITS: Final = (
    (0.5, None),
    (0.93, 1.609344),
    (5.0, 1.0),
    (500.0, None),
    (2600.0, 0.001),
    (16_000.0, 0.0003048),
)


def along_shape(travelled: Sequence[float | None]) -> list[float] | None:
    """The feed's distances counted from the first stop, in the feed's unit.

    None when one is missing, when they go back, or when the train would not move at all.
    """
    known = [one for one in travelled if one is not None]
    if len(known) < len(travelled) or known[-1] <= known[0]:
        return None
    if any(later < earlier for earlier, later in pairwise(known)):
        return None
    return [one - known[0] for one in known]


def along_great_circles(points: Sequence[Point | None]) -> list[float] | None:
    """Great circles added up, in km. Stops of unknown place lie evenly between their neighbours.

    None when fewer than two places are known or all of them are one.
    """
    known = [(index, point) for index, point in enumerate(points) if point is not None]
    if len(known) < 2:
        return None
    way = [0.0] * len(points)
    for (before, start), (after, end) in pairwise(known):
        length = great_circle_km(*start, *end)
        for index in range(before + 1, after + 1):
            way[index] = way[before] + length * (index - before) / (after - before)
    last = known[-1][0]
    way[last:] = [way[last]] * (len(points) - last)
    return way if way[-1] > 0 else None


def unit_km(ratios: Sequence[float]) -> float | None:
    """The unit of a feed's distances in km, from the ratios of some trips to their great circles.

    None when they are no distances. Without any ratio (no coordinates) kilometres are assumed.
    """
    if not ratios:
        return 1.0
    straightest = sorted(ratios)[len(ratios) // 10]  # a few freaks below it do not count
    return next((unit for highest, unit in _UNITS if straightest < highest), None)

"""Fill in the times a feed leaves blank."""

from collections.abc import Sequence


def fill_between(
    arrivals: Sequence[int | None], departures: Sequence[int | None], way: Sequence[float] | None
) -> list[tuple[int, int]]:
    """Arrival and departure of every stop, whole seconds.

    A stop has both times or none; the first and the last have them. Times between two known
    stops follow `way` (the distance of each stop from the first) or, where it is None or stands
    still, are spread evenly. Such a stop is left the second it is reached.
    """
    times: list[tuple[int, int]] = []
    before = 0
    for after, arrival in enumerate(arrivals):
        departure = departures[after]
        if arrival is None or departure is None:
            continue
        for index in range(before + 1, after):
            share = _share(before, index, after, way)
            left = times[before][1]
            moment = left + round((arrival - left) * share)
            times.append((moment, moment))
        times.append((arrival, departure))
        before = after
    return times


def _share(before: int, index: int, after: int, way: Sequence[float] | None) -> float:
    if way is not None and way[after] > way[before]:
        return (way[index] - way[before]) / (way[after] - way[before])
    return (index - before) / (after - before)

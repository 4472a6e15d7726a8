"""Which stops of a feed are one station. Pure: rows in, groups out.

Platforms belong to the station they name as their parent. Beyond that, places of the same name
within 300 m of each other are one station, as many feeds name no parents.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from trains.geography import great_circle_km
from trains.gtfs.distances import Point

SAME_NAME_KM: Final = 0.3
_KM_PER_DEGREE: Final = 111.0


@dataclass(frozen=True, slots=True)
class FeedPlace:
    """A row of `stops.txt` where trains stop, or the station around it."""

    stop_id: str
    code: str | None
    name: str
    point: Point | None
    timezone: str | None
    is_station: bool
    parent: str | None


@dataclass(frozen=True, slots=True)
class StationGroup:
    """What becomes one station: its row of the feed, and the ids of all stops in it, sorted."""

    head: FeedPlace
    stop_ids: tuple[str, ...]
    point: Point | None
    timezone: str | None


def group_stations(places: Sequence[FeedPlace]) -> list[StationGroup]:
    """Group the places; the groups come in the order of their heads' ids.

    The head is the station row if the feed has one, else the stop with the smallest id.
    """
    by_id = {place.stop_id: place for place in places}
    roots = _Roots(by_id)
    for place in places:
        if place.parent in by_id:
            roots.join(place.stop_id, place.parent)
    for one, other in _neighbours_of_one_name(places):
        roots.join(one, other)
    members: dict[str, list[FeedPlace]] = defaultdict(list)
    for place in places:
        members[roots.find(place.stop_id)].append(place)
    groups = [_group(found) for found in members.values()]
    return sorted(groups, key=lambda group: group.head.stop_id)


def _group(members: list[FeedPlace]) -> StationGroup:
    members.sort(key=lambda place: (not place.is_station, place.stop_id))
    return StationGroup(
        head=members[0],
        stop_ids=tuple(sorted(place.stop_id for place in members)),
        point=next((place.point for place in members if place.point), None),
        timezone=next((place.timezone for place in members if place.timezone), None),
    )


def _neighbours_of_one_name(places: Iterable[FeedPlace]) -> Iterable[tuple[str, str]]:
    """Pairs of one name within reach. Sorted by latitude, so that only near ones are compared."""
    by_name: dict[str, list[tuple[Point, str]]] = defaultdict(list)
    for place in places:
        if place.point:
            by_name[" ".join(place.name.casefold().split())].append((place.point, place.stop_id))
    for namesakes in by_name.values():
        namesakes.sort()
        for index, (point, stop_id) in enumerate(namesakes):
            for other_point, other_id in namesakes[index + 1 :]:
                if (other_point[0] - point[0]) * _KM_PER_DEGREE > SAME_NAME_KM:
                    break
                if great_circle_km(*point, *other_point) <= SAME_NAME_KM:
                    yield stop_id, other_id


class _Roots:
    """Disjoint sets of stop ids."""

    def __init__(self, ids: Iterable[str]) -> None:
        self._up = {one: one for one in ids}

    def find(self, one: str) -> str:
        while self._up[one] != one:
            self._up[one] = self._up[self._up[one]]
            one = self._up[one]
        return one

    def join(self, one: str, other: str) -> None:
        self._up[self.find(one)] = self.find(other)

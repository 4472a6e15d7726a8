"""Which stops are one station."""

from typing import Any

from trains.gtfs.stations import FeedPlace, StationGroup, group_stations

METRE = 1 / 111_195
"""In degrees of latitude."""


def place(stop_id: str, metres: float | None = 0, **more: Any) -> FeedPlace:
    """A place called Alpha, so many metres north of the first."""
    said: dict[str, Any] = {
        "code": None,
        "name": "Alpha",
        "point": None if metres is None else (50 + metres * METRE, 8.0),
        "timezone": None,
        "is_station": False,
        "parent": None,
    }
    return FeedPlace(stop_id=stop_id, **(said | more))


def ids(groups: list[StationGroup]) -> list[tuple[str, ...]]:
    return [group.stop_ids for group in groups]


def test_platforms_join_the_station_they_name_however_far() -> None:
    groups = group_stations([
        place("2", 900, name="Alpha 2", parent="S"),
        place("1", -900, name="Alpha 1", parent="S"),
        place("S", is_station=True),
        place("2a", 950, name="Zone a", parent="2"),
    ])  # fmt: skip
    assert ids(groups) == [("1", "2", "2a", "S")]
    assert groups[0].head.stop_id == "S"


def test_one_name_within_300_metres_is_one_station() -> None:
    near = [place("n", 0), place("s", 299, name=" alpha ")]
    assert ids(group_stations(near)) == [("n", "s")]


def test_one_name_further_apart_and_other_names_nearby_are_other_stations() -> None:
    assert ids(group_stations([place("n", 0), place("s", 301)])) == [("n",), ("s",)]
    assert ids(group_stations([place("n", 0), place("s", 1, name="Beta")])) == [("n",), ("s",)]


def test_places_of_one_name_join_through_those_between_them() -> None:
    row = [place("a", 0), place("c", 500), place("b", 250)]
    assert ids(group_stations(row)) == [("a", "b", "c")]


def test_places_without_coordinates_are_never_near() -> None:
    assert len(group_stations([place("a", None), place("b", None), place("c", 0)])) == 3


def test_the_group_takes_place_and_zone_from_whoever_knows() -> None:
    (group,) = group_stations([
        place("S", None, is_station=True),
        place("1", 10, parent="S", timezone="Europe/Paris"),
    ])  # fmt: skip
    assert group.head.stop_id == "S"
    assert group.point == (50 + 10 * METRE, 8.0)
    assert group.timezone == "Europe/Paris"


def test_the_order_of_rows_makes_no_difference() -> None:
    rows = [place("b", 0), place("a", 100), place("d", 5000), place("c", 5100)]
    assert group_stations(rows) == group_stations(rows[::-1])

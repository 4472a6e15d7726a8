"""Where the stops lie along the way, and in which unit the feed says so."""

import pytest

from trains.gtfs.distances import along_great_circles, along_shape, unit_km

ONE_DEGREE_KM = 111.195


def test_great_circles_add_up() -> None:
    way = along_great_circles([(0.0, 0.0), (0.0, 1.0), (1.0, 1.0)])
    assert way == pytest.approx([0, ONE_DEGREE_KM, 2 * ONE_DEGREE_KM], abs=0.01)


def test_stops_of_unknown_place_lie_evenly_between_their_neighbours() -> None:
    way = along_great_circles([None, (0.0, 0.0), None, None, (0.0, 3.0), None])
    degrees = [0, 0, 1, 2, 3, 3]
    assert way == pytest.approx([one * ONE_DEGREE_KM for one in degrees], abs=0.01)


@pytest.mark.parametrize("points", [[None, None], [None, (1.0, 1.0)], [(1.0, 1.0), (1.0, 1.0)]])
def test_without_two_places_there_is_no_way(points: list[tuple[float, float] | None]) -> None:
    assert along_great_circles(points) is None


@pytest.mark.parametrize(
    "travelled", [[0.0, None, 2.0], [0.0, 2.0, 1.0], [3.0, 3.0], [None, None], [5.0, 1.0]]
)
def test_distances_that_are_missing_or_go_back_are_not_used(travelled: list[float | None]) -> None:
    assert along_shape(travelled) is None


def test_a_train_may_stand_still_for_a_stop() -> None:
    assert along_shape([2.0, 2.0, 5.0]) == [0.0, 0.0, 3.0]


@pytest.mark.parametrize(
    ("per_km", "unit"),
    [(1.0, 1.0), (1000.0, 0.001), (0.621371, 1.609344), (3280.84, 0.0003048)],
    ids=["kilometres", "metres", "miles", "feet"],
)
@pytest.mark.parametrize("straightest", [1.0, 1.2, 1.4])
def test_the_unit_is_told_from_the_great_circles(
    per_km: float, unit: float, straightest: float
) -> None:
    ratios = [per_km * straightest * (1 + n / 20) for n in range(20)]
    assert unit_km([*ratios, per_km * 77, 0.0001]) == unit


@pytest.mark.parametrize("ratio", [0.01, 50.0, 1e6])
def test_numbers_that_fit_no_unit_are_no_distances(ratio: float) -> None:
    assert unit_km([ratio]) is None


def test_without_coordinates_kilometres_are_assumed() -> None:
    assert unit_km([]) == 1.0

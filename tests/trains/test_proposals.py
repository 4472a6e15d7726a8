"""Stops that staff propose: clock times put in one line, distances measured."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import Invalid
from trains import limits
from trains.models import Station
from trains.proposals import (
    DAY_SECONDS,
    ProposedStop,
    StopTimes,
    check_coaches,
    check_neighbours,
    measure_stops,
    time_stops,
    weekday_bits,
    weekday_names,
)

H = 3600


def _stop(
    arrival: int | None = None, departure: int | None = None, day: int | None = None
) -> ProposedStop:
    return ProposedStop(station="X", arrival=arrival, departure=departure, day=day)


def _refused(field: str, stops: list[ProposedStop]) -> None:
    with pytest.raises(Invalid) as refusal:
        time_stops(stops)
    assert list(refusal.value.data["errors"]) == [field]


def test_a_run_over_midnight() -> None:
    times = time_stops([_stop(None, 22 * H, 1), _stop(23 * H, 1 * H, 1), _stop(6 * H, None, 2)])
    assert times == [
        StopTimes(22 * H, 22 * H),
        StopTimes(23 * H, 25 * H),  # it waits over midnight: the day is that of the arrival
        StopTimes(30 * H, 30 * H),
    ]


@pytest.mark.parametrize("first", [0, 1, 7])
def test_days_count_from_the_first_stop_whatever_its_number(first: int) -> None:
    times = time_stops([_stop(None, 8 * H, first), _stop(9 * H, None, first + 2)])
    assert times[1].arrival_seconds == 2 * DAY_SECONDS + 9 * H


def test_without_days_each_stop_is_reached_as_early_as_it_can_be() -> None:
    times = time_stops([_stop(None, 22 * H), _stop(2 * H, 3 * H), _stop(1 * H)])
    assert [at.arrival_seconds // H for at in times] == [22, 26, 49]


def test_a_stop_in_no_time_is_possible_but_not_a_whole_run() -> None:
    assert time_stops([_stop(None, 8 * H), _stop(8 * H), _stop(9 * H)])
    _refused("stops.1.arrival", [_stop(None, 8 * H, 1), _stop(8 * H, None, 1)])


def test_time_may_not_run_backwards() -> None:
    _refused("stops.1", [_stop(None, 8 * H, 1), _stop(7 * H, None, 1)])
    _refused("stops.1", [_stop(None, 8 * H, 3), _stop(9 * H, None, 2)])


def test_a_stop_needs_a_time() -> None:
    _refused("stops.1", [_stop(None, 8 * H), _stop(), _stop(9 * H)])


def test_a_run_has_an_end() -> None:
    last = limits.RUN_DAYS_MAX + 1
    _refused("stops.1.day", [_stop(None, 8 * H, 1), _stop(9 * H, None, last)])


@pytest.mark.parametrize("count", [0, 1, limits.STOPS_MAX + 1])
def test_the_number_of_stops_is_bounded(count: int) -> None:
    _refused("stops", [_stop(n * 60, n * 60) for n in range(count)])


@given(
    st.lists(
        st.tuples(st.integers(0, DAY_SECONDS - 1), st.integers(0, 3600)), min_size=2, max_size=9
    )
)
def test_times_that_are_accepted_never_run_backwards(waits: list[tuple[int, int]]) -> None:
    stops = [_stop(arrival, (arrival + wait) % DAY_SECONDS) for arrival, wait in waits]
    try:
        times = time_stops(stops)
    except Invalid:
        return
    line = [moment for at in times for moment in (at.arrival_seconds, at.departure_seconds)]
    assert line == sorted(line)
    assert [at.arrival_seconds % DAY_SECONDS for at in times] == [wait[0] for wait in waits]


def _station(latitude: float | None, longitude: float | None = 77.0, key: int = 1) -> Station:
    return Station(pk=key, latitude=latitude, longitude=longitude)


def _at(distance: str | None) -> ProposedStop:
    return ProposedStop(station="X", distance_km=None if distance is None else Decimal(distance))


def test_given_distances_count_from_the_first_stop() -> None:
    measured = measure_stops([_at("12.5"), _at("20"), _at("30.04")], [_station(10.0)] * 3)
    assert measured == [Decimal("0.0"), Decimal("7.5"), Decimal("17.5")]


def test_a_missing_distance_is_the_great_circle_from_stop_to_stop() -> None:
    measured = measure_stops([_at(None)] * 3, [_station(10.0), _station(11.0), _station(12.0)])
    assert [round(km) for km in measured] == [0, 111, 222]


def test_stations_that_lie_nowhere_are_a_round_figure_apart() -> None:
    measured = measure_stops([_at(None)] * 2, [_station(None), _station(11.0)])
    assert measured == [Decimal(0), Decimal(10)]


def test_stations_in_one_place_are_a_kilometre_apart() -> None:
    assert measure_stops([_at(None)] * 2, [_station(10.0)] * 2) == [Decimal(0), Decimal(1)]


@pytest.mark.parametrize("distances", [("0", "10", "9.9"), ("0", "60000", "60001")])
def test_distances_grow_within_bounds(distances: tuple[str, ...]) -> None:
    with pytest.raises(Invalid):
        measure_stops([_at(distance) for distance in distances], [_station(10.0)] * 3)


def test_a_train_may_come_back_to_a_station_but_not_at_once() -> None:
    a, b = _station(1.0, key=1), _station(2.0, key=2)
    check_neighbours([a, b, a])
    with pytest.raises(Invalid):
        check_neighbours([a, b, b])


def test_coach_labels_that_differ_in_case_only_are_one_label() -> None:
    with pytest.raises(Invalid):
        check_coaches([("S1", 10), ("s1", 10)])


def test_a_train_has_a_bounded_number_of_seats_and_coaches() -> None:
    check_coaches([(f"S{n}", 2000) for n in range(5)])
    with pytest.raises(Invalid):
        check_coaches([(f"S{n}", 2000) for n in range(6)])
    with pytest.raises(Invalid):
        check_coaches([(f"S{n}", 1) for n in range(limits.COACHES_MAX + 1)])


@given(st.integers(0, 127))
def test_weekdays_are_bits_and_names(bits: int) -> None:
    assert weekday_bits(weekday_names(bits)) == bits

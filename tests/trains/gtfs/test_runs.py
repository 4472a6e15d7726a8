"""One trip as a run: times filled in, kept in order, distances measured."""

from typing import Any

import pytest

from trains import limits
from trains.gtfs.errors import FeedBroken
from trains.gtfs.runs import Call, NotSellable, build_run, shifted, signature

HOUR = 3600


def call(number: int, arrival: int | None, departure: int | None, **more: Any) -> Call:
    said = {
        "line": number + 1,
        "station_id": number,
        "arrival": arrival,
        "departure": departure,
        "shape_distance": None,
        "pickup": True,
        "drop_off": True,
        "latitude": None,
        "longitude": None,
    }
    return Call(**(said | more))


def times(*calls: Call) -> list[tuple[int, int]]:
    run = build_run(calls, shape_unit_km=1.0)
    return [(stop.arrival, stop.departure) for stop in run.stops]


def test_blank_times_follow_the_distance_where_it_is_known() -> None:
    calls = [
        call(1, 0, 100, shape_distance=0),
        call(2, None, None, shape_distance=75),
        call(3, 1100, 1100, shape_distance=100),
    ]
    assert times(*calls)[1] == (850, 850)


def test_blank_times_follow_great_circles_without_a_distance() -> None:
    calls = [
        call(1, 0, 0, latitude=0.0, longitude=0.0),
        call(2, None, None, latitude=0.0, longitude=3.0),
        call(3, 1000, 1000, latitude=0.0, longitude=4.0),
    ]
    assert times(*calls)[1] == (750, 750)


def test_blank_times_are_spread_evenly_when_nothing_is_known() -> None:
    calls = [call(1, 0, 0), call(2, None, None), call(3, None, None), call(4, 900, 900)]
    assert times(*calls) == [(0, 0), (300, 300), (600, 600), (900, 900)]


def test_blank_times_between_several_known_ones() -> None:
    calls = [call(1, 0, 0), call(2, None, None), call(3, 100, 200), call(4, None, None)]
    assert times(*calls, call(5, 400, 400))[1::2] == [(50, 50), (300, 300)]


def test_one_time_of_a_stop_stands_for_the_other() -> None:
    assert times(call(1, None, 10), call(2, 20, None), call(3, 30, None)) == [
        (10, 10),
        (20, 20),
        (30, 30),
    ]


def test_hours_after_midnight_and_further_days_just_go_on() -> None:
    assert times(call(1, 23 * HOUR, 23 * HOUR), call(2, 75 * HOUR, 75 * HOUR))[1] == (
        75 * HOUR,
        75 * HOUR,
    )


def test_a_stay_that_outlasts_the_next_arrival_is_cut_short() -> None:
    run = build_run([call(1, 0, 0), call(2, 60, 180), call(3, 120, 240), call(4, 300, 300)],
                    shape_unit_km=None)  # fmt: skip
    assert [(stop.arrival, stop.departure) for stop in run.stops[1:3]] == [(60, 120), (120, 240)]
    assert run.overlaps == 1


@pytest.mark.parametrize(
    ("calls", "line", "reason"),
    [
        ([call(1, 100, 100), call(2, 50, 150)], 3, "before it was at the stop before"),
        ([call(1, 0, 0), call(2, 90, 80), call(3, 100, 100)], 3, "before arrival_time"),
        ([call(1, None, None), call(2, 90, 90)], 2, "need a time"),
        ([call(1, 0, 0), call(2, None, None)], 3, "need a time"),
    ],
)
def test_a_train_that_goes_back_in_time_is_broken(
    calls: list[Call], line: int, reason: str
) -> None:
    with pytest.raises(FeedBroken) as caught:
        build_run(calls, shape_unit_km=None)
    assert (caught.value.file, caught.value.line) == ("stop_times.txt", line)
    assert reason in caught.value.reason


def test_a_blank_stop_does_not_hide_that_time_goes_back() -> None:
    with pytest.raises(FeedBroken, match="line 4"):
        times(call(1, 100, 100), call(2, None, None), call(3, 50, 50))


@pytest.mark.parametrize("count", [0, 1, limits.STOPS_MAX + 1])
def test_a_trip_with_too_few_or_too_many_stops_is_left_out(count: int) -> None:
    with pytest.raises(NotSellable, match="2 to 128 stops"):
        build_run([call(n, n, n) for n in range(count)], shape_unit_km=None)


def test_as_many_stops_as_allowed_are_sold() -> None:
    calls = [call(n, n, n) for n in range(limits.STOPS_MAX)]
    assert len(build_run(calls, shape_unit_km=None).stops) == limits.STOPS_MAX


def test_a_trip_on_demand_and_one_without_end_are_left_out() -> None:
    with pytest.raises(NotSellable, match="on demand"):
        build_run([call(1, 0, 0), call(2, 9, 9, station_id=None)], shape_unit_km=None)
    with pytest.raises(NotSellable, match="10 days"):
        build_run([call(1, 0, 0), call(2, 241 * HOUR, 241 * HOUR)], shape_unit_km=None)


def test_distances_count_from_the_first_stop_in_kilometres() -> None:
    calls = [call(1, 0, 0, shape_distance=5_000), call(2, 9, 9, shape_distance=17_340)]
    run = build_run(calls, shape_unit_km=0.001)
    assert [stop.distance_km for stop in run.stops] == [0.0, 12.3]


def test_absurd_distances_give_way_to_great_circles() -> None:
    calls = [
        call(1, 0, 0, shape_distance=0, latitude=10.0, longitude=70.0),
        call(2, 9, 9, shape_distance=1e9, latitude=10.0, longitude=71.0),
    ]
    assert build_run(calls, shape_unit_km=1.0).distance_km == pytest.approx(109.5, abs=0.1)


def test_a_run_shifted_keeps_everything_but_its_times() -> None:
    calls = [call(1, 0, 60, shape_distance=0, drop_off=False), call(2, 100, 100, shape_distance=7)]
    run = build_run(calls, shape_unit_km=1.0)
    later = shifted(run, 3600)
    assert [(s.arrival, s.departure) for s in later.stops] == [(3600, 3660), (3700, 3700)]
    assert shifted(later, -3600) == run


def test_runs_are_one_train_only_if_zone_places_times_and_rules_agree() -> None:
    def signed(zone: str = "UTC", departure: int = 10, **more: Any) -> str:
        calls = [call(1, 0, 0), call(2, 9, 9), call(3, 10, departure, **more)]
        return signature(build_run(calls, shape_unit_km=None), zone)

    same = signed()
    assert signed(shape_distance=7.0, line=99) == same
    others = [
        signed("Asia/Kolkata"), signed(station_id=8), signed(departure=11), signed(pickup=False),
        signed(drop_off=False),
    ]  # fmt: skip
    assert len({same, *others}) == 6

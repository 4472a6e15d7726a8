"""Ranking: every group is what was asked for, those that sit together come first."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reservations.availability.parties import parties_of
from reservations.availability.ranking import Preference, count_free, free_mask, rank
from reservations.availability.seating import seating_of
from reservations.availability.stretches import Stretch
from tests.availability.paper import Words, nothing_taken, paper_train, take
from tests.availability.ranked import ALL, BUS, CHAIRS, MIXED, SLEEPER, first, labels


@st.composite
def half_sold(draw: st.DrawFn) -> Words:
    """Random short journeys on the mixed train, from nearly none to nearly all seats."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    taken = nothing_taken(MIXED)
    for _ in range(draw(st.integers(0, 600))):
        start = int(rng.integers(0, MIXED.legs))
        end = int(rng.integers(start + 1, MIXED.legs + 1))
        take(MIXED, taken, [int(rng.integers(MIXED.places))], Stretch(start, end))
    return taken


@settings(max_examples=150, deadline=None)
@given(
    taken=half_sold(),
    ends=st.tuples(st.integers(0, 40), st.integers(0, 40)).filter(lambda pair: pair[0] != pair[1]),
    count=st.integers(1, 9),
    travel_class=st.sampled_from(["2A", "SL", "GEN", None]),
    preference=st.sampled_from(["together", "window", "any"]),
    limit=st.integers(1, 20),
    seed=st.integers(0, 2**32),
)
def test_every_group_is_free_of_the_right_size_and_class_and_another(  # noqa: PLR0917
    taken: Words,
    ends: tuple[int, int],
    count: int,
    travel_class: str | None,
    preference: Preference,
    limit: int,
    seed: int,
) -> None:
    stretch = Stretch(min(ends), max(ends))
    groups = rank(
        plan=MIXED,
        taken=taken,
        travel_class=travel_class,
        stretch=stretch,
        count=count,
        preference=preference,
        limit=limit,
        rng=np.random.default_rng(seed),
    )
    free = free_mask(MIXED, taken, stretch)
    counts = count_free(MIXED, taken, stretch)
    enough = counts[travel_class] if travel_class else sum(counts.values())
    assert bool(groups) == (enough >= count)
    assert len(groups) <= limit
    assert len(set(groups)) == len(groups)
    for group in groups:
        assert len(set(group)) == count
        assert group == tuple(sorted(group))
        assert free[list(group)].all()
        if travel_class:
            assert set(group) <= set(MIXED.classes[travel_class].tolist())


@settings(max_examples=50, deadline=None)
@given(taken=half_sold(), start=st.integers(0, 39), length=st.integers(1, 40))
def test_counts_are_those_of_a_seat_by_seat_look(taken: Words, start: int, length: int) -> None:
    stretch = Stretch(start, min(40, start + length))
    expected = dict.fromkeys(MIXED.class_names, 0)
    for ordinal in range(MIXED.places):
        bits = int.from_bytes(taken[ordinal].astype("<u4").tobytes(), "little")
        if not any(bits >> leg & 1 for leg in range(stretch.from_stop, stretch.to_stop)):
            expected[MIXED.class_names[MIXED.class_of[ordinal]]] += 1
    assert count_free(MIXED, taken, stretch) == expected


class TestTogether:
    def test_two_sit_side_by_side_and_leave_nobody_alone(self) -> None:
        # 2+2 seats: 1 2 | 3 4. Across the aisle is not together, and would strand two seats.
        pairs = [f"B-{n} B-{n + 1}" for n in range(1, 40, 2)]
        assert set(first(BUS, nothing_taken(BUS), ALL, 2)) <= set(pairs)

    def test_of_a_row_of_three_and_two_the_pair_goes_to_two(self) -> None:
        # 3+2 seats: 1 2 3 | 4 5. Two of the three would leave a single one.
        pairs = [f"C1-{n} C1-{n + 1}" for n in range(4, 20, 5)]
        assert first(CHAIRS, nothing_taken(CHAIRS), ALL, 2) == sorted(pairs)

    def test_one_takes_the_seat_that_is_alone_already(self) -> None:
        taken = nothing_taken(BUS)
        take(BUS, taken, "B-2 B-11", ALL)
        assert first(BUS, taken, ALL, 1) == ["B-1", "B-12"]

    def test_four_share_a_bay(self) -> None:
        groups = rank(
            plan=SLEEPER, taken=nothing_taken(SLEEPER), travel_class="SL", stretch=ALL, count=4
        )
        for group in groups:
            bays = {(SLEEPER.coach_of[o], (SLEEPER.numbers[o] - 1) // 8) for o in group}
            assert len(bays) == 1

    def test_the_last_free_seats_of_a_bay_are_together_with_gaps_between_them(self) -> None:
        taken = nothing_taken(SLEEPER)
        take(SLEEPER, taken, list(range(SLEEPER.places)), ALL)
        for free in ("S1-9", "S1-12", "S1-15", "S1-24", "S2-1", "S2-9"):
            taken[SLEEPER.ordinal_of[free]] = 0
        assert first(SLEEPER, taken, ALL, 3) == ["S1-9 S1-12 S1-15"]

    def test_where_few_bays_have_room_those_come_first_and_others_follow(self) -> None:
        taken = nothing_taken(SLEEPER)
        take(SLEEPER, taken, list(range(SLEEPER.places)), ALL)
        for free in ("S1-9", "S1-12", "S1-24", "S2-1"):
            taken[SLEEPER.ordinal_of[free]] = 0
        groups = rank(plan=SLEEPER, taken=taken, travel_class="SL", stretch=ALL, count=2)
        assert labels(SLEEPER, groups)[:2] == ["S1-9 S1-12", "S1-24 S2-1"]

    @pytest.mark.parametrize(("coaches", "is_listed"), [(2, True), (20, False)])
    def test_in_a_train_too_long_to_list_its_groups_they_share_a_bay_all_the_same(
        self, coaches: int, is_listed: bool
    ) -> None:
        plan = paper_train([(f"S{n}", "SL-72", 72) for n in range(coaches)], legs=8)
        assert (parties_of(seating_of(plan, "SL"), 4) is not None) == is_listed
        groups = rank(plan=plan, taken=nothing_taken(plan), travel_class="SL", stretch=ALL, count=4)
        bays = [{(plan.coach_of[o], (plan.numbers[o] - 1) // 8) for o in group} for group in groups]
        assert [len(each) for each in bays] == [1] * 16

    def test_when_no_bay_has_room_they_share_a_coach_as_closely_as_can_be(self) -> None:
        taken = nothing_taken(SLEEPER)
        take(SLEEPER, taken, list(range(SLEEPER.places)), ALL)
        for free in ("S1-1", "S1-70", "S2-1", "S2-20", "S2-30"):
            taken[SLEEPER.ordinal_of[free]] = 0
        assert first(SLEEPER, taken, ALL, 2) == ["S2-20 S2-30"]
        assert first(SLEEPER, taken, ALL, 3) == ["S2-1 S2-20 S2-30"]

    def test_when_no_coach_has_room_they_are_spread_over_coaches(self) -> None:
        taken = nothing_taken(SLEEPER)
        take(SLEEPER, taken, list(range(SLEEPER.places)), ALL)
        for free in ("S1-72", "S2-40"):
            taken[SLEEPER.ordinal_of[free]] = 0
        assert first(SLEEPER, taken, ALL, 2) == ["S1-72 S2-40"]
        assert first(SLEEPER, taken, ALL, 3) == []

    def test_in_a_coach_nobody_described_neighbours_have_neighbouring_numbers(self) -> None:
        plan = paper_train([("G", "GEN", 10)], legs=2)
        taken = nothing_taken(plan)
        take(plan, taken, "G-1 G-4 G-6 G-8 G-10", Stretch(0, 2))
        assert first(plan, taken, Stretch(0, 2), 2) == ["G-2 G-3"]


class TestPreference:
    def test_who_asks_for_a_window_gets_one(self) -> None:
        for count in (1, 2):
            groups = rank(
                plan=BUS,
                taken=nothing_taken(BUS),
                travel_class="SEAT",
                stretch=ALL,
                count=count,
                preference="window",
            )
            assert len(groups) == 16
            for group in groups:
                assert "window" in [BUS.positions[seat] for seat in group]

    def test_a_window_is_worth_more_than_sitting_in_one_row(self) -> None:
        taken = nothing_taken(BUS)
        take(BUS, taken, [o for o in range(40) if BUS.positions[o] == "window"], ALL)
        taken[BUS.ordinal_of["B-12"]] = 0
        take(BUS, taken, "B-10 B-11", ALL)
        groups = rank(
            plan=BUS,
            taken=taken,
            travel_class="SEAT",
            stretch=ALL,
            count=2,
            preference="window",
            limit=1,
        )
        assert "B-12" in labels(BUS, groups)[0]

    def test_without_a_class_the_least_expensive_with_room_is_offered(self) -> None:
        plan = paper_train([("A1", "2A-48", 8), ("S1", "SL-72", 8)], legs=4)
        taken = nothing_taken(plan)
        whole = Stretch(0, 4)
        assert {seat[:2] for seat in first(plan, taken, whole, 2)} == {"S1"}
        take(plan, taken, [plan.ordinal_of[f"S1-{n}"] for n in range(2, 9)], whole)
        assert {seat[:2] for seat in first(plan, taken, whole, 2)} == {"A1"}
        assert {seat[:2] for seat in first(plan, taken, whole, 1)} == {"S1"}


class TestCrowd:
    @pytest.mark.parametrize("count", [1, 2, 4, 6])
    def test_groups_share_no_seat_while_there_are_enough(self, count: int) -> None:
        groups = rank(
            plan=SLEEPER,
            taken=nothing_taken(SLEEPER),
            travel_class="SL",
            stretch=ALL,
            count=count,
        )
        assert len(groups) == 16
        assert len({seat for group in groups for seat in group}) == 16 * count

    def test_callers_with_the_same_picture_are_offered_different_seats(self) -> None:
        taken = nothing_taken(SLEEPER)
        offered = {
            rank(plan=SLEEPER, taken=taken, travel_class="SL", stretch=ALL, count=2, limit=1)[0]
            for _ in range(200)
        }
        assert len(offered) > 30

    def test_the_last_groups_are_not_the_same_for_everybody(self) -> None:
        """One pair fits best by far; whoever loses it must not fight over one next pair."""
        taken = nothing_taken(SLEEPER)
        take(SLEEPER, taken, "S1-7 S1-8", Stretch(0, 4))
        lists = [
            rank(plan=SLEEPER, taken=taken, travel_class="SL", stretch=Stretch(4, 10), count=2)
            for _ in range(50)
        ]
        assert {labels(SLEEPER, groups)[0] for groups in lists} == {"S1-7 S1-8"}
        assert len({groups[-1] for groups in lists}) > 15


@pytest.mark.parametrize(("count", "limit"), [(0, 16), (1, 0)])
def test_nonsense_is_refused(count: int, limit: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        rank(
            plan=BUS,
            taken=nothing_taken(BUS),
            travel_class=None,
            stretch=ALL,
            count=count,
            limit=limit,
        )

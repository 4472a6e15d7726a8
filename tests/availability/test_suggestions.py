"""What is offered instead of taken seats."""

from reservations.availability.ranking import suggest
from reservations.availability.seating import seating_of
from tests.availability.paper import nothing_taken, paper_train, take
from tests.availability.ranked import ALL, SLEEPER


class TestSuggestions:
    def test_the_nearest_free_seats_of_the_class_in_the_coach_come_first(self) -> None:
        taken = nothing_taken(SLEEPER)
        take(SLEEPER, taken, "S1-10 S1-11", ALL)
        near = [SLEEPER.ordinal_of["S1-10"]]
        found = suggest(SLEEPER, taken, ALL, travel_class="SL", near=near, limit=4)
        assert found == ["S1-9", "S1-12", "S1-13", "S1-14"]

    def test_another_coach_is_further_than_the_end_of_this_one(self) -> None:
        taken = nothing_taken(SLEEPER)
        take(SLEEPER, taken, list(range(71)), ALL)
        near = [SLEEPER.ordinal_of["S1-1"]]
        found = suggest(SLEEPER, taken, ALL, travel_class="SL", near=near, limit=2)
        assert found == ["S1-72", "S2-1"]

    def test_nothing_free_is_no_suggestion(self) -> None:
        taken = nothing_taken(SLEEPER)
        take(SLEEPER, taken, list(range(SLEEPER.places)), ALL)
        assert suggest(SLEEPER, taken, ALL, travel_class="SL", near=[0]) == []
        assert suggest(SLEEPER, nothing_taken(SLEEPER), ALL, travel_class="1A", near=[0]) == []


def test_a_seating_is_made_once_and_goes_with_its_plan() -> None:
    plan = paper_train([("S1", "SL-72", 8)], legs=2)
    assert seating_of(plan, "SL") is seating_of(plan, "SL")
    assert seating_of(plan, "SL").bench.tolist() == [0, 0, 0, 0, 0, 0, 1, 1]
    assert seating_of(plan, "1A").ordinals.size == 0

"""Coaches are drawn from their templates, every seat in its place and none on another."""

import json
from itertools import combinations
from typing import Any

import pytest

from config.embedded.places import CHECKOUT
from reservations.availability.train_plan import PlannedCoach
from web.seats.drawing import Box, Drawing, draw

TEMPLATES: dict[str, Any] = {
    each["code"]: each["layout"]
    for each in json.loads((CHECKOUT / "trains/data/vehicles.json").read_text())
}


def drawn(layout: dict[str, Any], capacity: int | None = None) -> Drawing:
    places = layout["seats"]
    coach = PlannedCoach(
        label="S1",
        travel_class="SL",
        template="T",
        order=0,
        unit=layout["unit"],
        places=tuple((float(p["x"]), float(p["y"]), p.get("deck", 0)) for p in places),
    )
    numbers = range(1, (capacity or layout["capacity"]) + 1)
    return draw(coach, {n: places[(n - 1) % len(places)]["position"] for n in numbers})


def overlap(a: Box, b: Box) -> bool:
    return a.x < b.right and b.x < a.right and a.y < b.bottom and b.y < a.bottom


@pytest.mark.parametrize("code", TEMPLATES)
def test_every_seat_stands_in_the_coach_and_on_no_other(code: str) -> None:
    picture = drawn(TEMPLATES[code])
    assert len(picture.seats) == TEMPLATES[code]["capacity"]
    assert not [pair for pair in combinations(picture.seats.values(), 2) if overlap(*pair)]
    for box in picture.seats.values():
        assert any(
            body.outline.x < box.x
            and box.right < body.outline.right
            and body.outline.y < box.y
            and box.bottom < body.outline.bottom
            for body in picture.bodies
        )
        assert not [
            aisle for body in picture.bodies for aisle in body.aisles if overlap(box, aisle)
        ]


@pytest.mark.parametrize("code", TEMPLATES)
def test_a_seat_is_large_enough_to_be_pressed(code: str) -> None:
    for box in drawn(TEMPLATES[code]).seats.values():
        assert min(box.width, box.height) >= 24


def test_berths_of_a_bay_lie_side_by_side_and_side_berths_beyond_the_aisle() -> None:
    seats = drawn(TEMPLATES["SL-72"]).seats
    lower, middle, upper, opposite, side_lower, side_upper = (seats[n] for n in (1, 2, 3, 4, 7, 8))
    assert lower.x == middle.x == upper.x < opposite.x
    assert lower.y < middle.y < upper.y < side_lower.y == side_upper.y
    assert side_lower.x < side_upper.x
    assert seats[9].x > side_upper.right


def test_a_bus_with_two_decks_has_two_bodies() -> None:
    picture = drawn(TEMPLATES["BUS-SLEEPER-30"])
    lower, upper = picture.bodies
    assert lower.outline.bottom < upper.outline.y
    assert picture.seats[1].y < lower.outline.bottom < picture.seats[4].y
    assert len(lower.aisles) == 1


def test_a_coach_that_is_not_full_and_one_without_template_are_drawn() -> None:
    assert len(drawn(TEMPLATES["CC-78"], capacity=3).seats) == 3
    plain = PlannedCoach("G1", "GEN", "", 0, "", ())
    picture = draw(plain, dict.fromkeys(range(1, 12), ""))
    assert len(picture.seats) == 11
    assert not [pair for pair in combinations(picture.seats.values(), 2) if overlap(*pair)]
    assert draw(plain, {}).seats == {}

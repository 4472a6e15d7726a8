"""Trains on paper: plans without a database, for what is pure."""

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np

import trains
from reservations.availability.plan_rows import _plan
from reservations.availability.stretches import Stretch
from reservations.availability.train_plan import TrainPlan

Words = np.ndarray[tuple[int, int], np.dtype[np.uint32]]
_VEHICLES = json.loads((Path(trains.__file__).parent / "data" / "vehicles.json").read_text())
LAYOUTS = {row["code"]: row["layout"] for row in _VEHICLES}
CLASS_OF = {row["code"]: row["travel_class"] for row in _VEHICLES}


def paper_train(
    coaches: Sequence[tuple[str, str, int]] = (("S1", "SL-72", 72),), *, legs: int = 20
) -> TrainPlan:
    """A train of coaches `(label, template code or a class without one, seats)`."""
    stops = [
        (f"P{k}", f"Place {k}", "UTC", k * 3600, k * 3600 + 60, Decimal(50 * k), True, True)
        for k in range(legs + 1)
    ]
    coach_rows = [
        (order, label, CLASS_OF.get(code, code), code, order, LAYOUTS.get(code))
        for order, (label, code, _) in enumerate(coaches)
    ]
    seats = [
        (order, number, _position(code, number))
        for order, (_, code, size) in enumerate(coaches)
        for number in range(1, size + 1)
    ]
    ordinals = list(range(len(seats)))
    coach_ids, numbers, positions = (list(column) for column in zip(*seats, strict=True))
    return _plan(
        (1, "12951", "Paper Express", "rail", "UTC", 1, False),
        stops,
        coach_rows,
        [([10_000 + each for each in ordinals], ordinals, coach_ids, numbers, positions)],
    )


def _position(code: str, number: int) -> str:
    places = LAYOUTS[code]["seats"] if code in LAYOUTS else [{"position": ""}]
    return str(places[(number - 1) % len(places)]["position"])


def nothing_taken(plan: TrainPlan) -> Words:
    return np.zeros((plan.places, plan.words), np.uint32)


def take(plan: TrainPlan, taken: Words, seats: Sequence[int] | str, stretch: Stretch) -> None:
    """Mark seats, given by ordinal or as labels "S1-1 S1-2", as taken on a stretch."""
    chosen = (
        [plan.ordinal_of[label] for label in seats.split()] if isinstance(seats, str) else seats
    )
    taken[list(chosen)] |= np.frombuffer(stretch.mask(plan.words), "<u4")

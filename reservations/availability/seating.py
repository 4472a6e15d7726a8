"""Where the seats of a class are: what ranking must know of the coaches, as arrays.

Made once a train plan and class, then kept as long as the plan is.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from reservations.availability.train_plan import PlannedCoach, TrainPlan
from reservations.availability.words import Ints

# Berths along the side of a coach and lower ones look out as well as a window seat does.
WINDOWS: Final = frozenset({"window", "lower", "side-lower", "side-middle", "side-upper"})

# Seats further apart across the coach than this have the aisle between them.
AISLE_WIDTHS: Final = 1.5

# A coach nobody described is taken to have pairs of seats: neighbours have neighbouring numbers.
PAIRS: Final = ((0.0, 0.0, 0), (1.0, 0.0, 0))


@dataclass(frozen=True, eq=False)
class Seating:
    """Seats in walking order: coach by coach, number by number. All arrays run along it.

    - `ordinals`: which seat; `coach`: its coach's place in the train; `number`: within the coach
    - `unit`: the bay or row it is in, counted through the train; `unit_size`: seats in such a unit
    - `bench`: the side of the aisle within the unit, counted through the train
    - `across`: x in seat widths; `at_window`: whether one can look out
    """

    ordinals: Ints
    coach: Ints
    number: Ints
    unit: Ints
    unit_size: Ints
    bench: Ints
    across: Ints
    at_window: NDArray[np.bool_]

    @property
    def benches(self) -> int:
        return int(self.bench[-1]) + 1 if self.bench.size else 0


_kept: "WeakKeyDictionary[TrainPlan, dict[str | None, Seating]]" = WeakKeyDictionary()


def seating_of(plan: TrainPlan, travel_class: str | None) -> Seating:
    """The seats of a class, or of the whole train for None; empty for a class it does not have."""
    by_class = _kept.setdefault(plan, {})
    found = by_class.get(travel_class)
    if found is None:
        found = by_class[travel_class] = _seating(plan, travel_class)
    return found


def walking_order(plan: TrainPlan, travel_class: str | None = None) -> Ints:
    """The seats (ordinals) of a class, or all, coach by coach and number by number."""
    if travel_class is None:
        ordinals = np.flatnonzero(plan.class_of >= 0)
    else:
        ordinals = plan.classes.get(travel_class, np.empty(0, np.int64))
    return ordinals[np.lexsort((plan.numbers[ordinals], plan.coach_of[ordinals]))]


def _seating(plan: TrainPlan, travel_class: str | None) -> Seating:
    ordinals = walking_order(plan, travel_class)
    coach = plan.coach_of[ordinals].astype(np.int64)
    number = plan.numbers[ordinals].astype(np.int64)

    rows = [
        _place(plan.coaches[where], place)
        for where, place in zip(coach.tolist(), number.tolist(), strict=True)
    ]
    within, bench, across, size = np.array(rows, np.int64).reshape(-1, 4).T
    names = plan.positions
    return Seating(
        ordinals=ordinals,
        coach=coach,
        number=number,
        unit=_counted(coach, within),
        unit_size=size,
        bench=_counted(coach, within, bench),
        across=across,
        at_window=np.array([names[o] in WINDOWS for o in ordinals.tolist()], np.bool_),
    )


def _place(coach: PlannedCoach, number: int) -> tuple[int, int, int, int]:
    """Of seat `number`: its unit in the coach, bench in the unit, x, and the unit's size."""
    places = coach.places or PAIRS
    unit, place = divmod(number - 1, len(places))
    columns = sorted({x for x, _, _ in places})
    x = places[place][0]
    aisles = sum(right - left > AISLE_WIDTHS and right <= x for left, right in pairwise(columns))
    return unit, aisles, int(x), len(places)


def _counted(*parts: Ints) -> Ints:
    """Equal tuples get the same number, counted from 0 in sorted order."""
    if not parts[0].size:
        return parts[0]
    _, numbers = np.unique(np.column_stack(parts), axis=0, return_inverse=True)
    return numbers.reshape(-1).astype(np.int64)

"""Trains that the ranking tests share, and how they read its answers."""

import numpy as np

from reservations.availability.ranking import rank
from reservations.availability.stretches import Stretch
from reservations.availability.train_plan import TrainPlan
from tests.availability.paper import Words, paper_train

MIXED = paper_train(
    [("A1", "2A-48", 48), ("S1", "SL-72", 72), ("S2", "SL-72", 50), ("X", "GEN", 7)], legs=40
)
CHAIRS = paper_train([("C1", "CC-78", 20)], legs=8)
BUS = paper_train([("B", "BUS-2x2-40", 40)], legs=8)
LONG = paper_train([("S1", "SL-72", 72), ("S2", "SL-72", 72)], legs=20)
SLEEPER = paper_train([("S1", "SL-72", 72), ("S2", "SL-72", 72)], legs=10)
ALL = Stretch(0, 8)


def labels(plan: TrainPlan, groups: list[tuple[int, ...]]) -> list[str]:
    return [" ".join(plan.labels[seat] for seat in group) for group in groups]


def first(plan: TrainPlan, taken: Words, stretch: Stretch, count: int) -> list[str]:
    """Every group that chance may put first, as labels."""
    found = set()
    for seed in range(60):
        groups = rank(
            plan=plan,
            taken=taken,
            travel_class=None,
            stretch=stretch,
            count=count,
            limit=1,
            rng=np.random.default_rng(seed),
        )
        found.update(labels(plan, groups))
    return sorted(found)

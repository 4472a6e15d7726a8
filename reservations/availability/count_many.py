"""Free seats for many departures and stretches: one round trip to Redis for all of them.

The image of a departure is read once, however many of its stretches are asked for, and their
counts are made together: which seats are free on which stretch is one table, seats by stretches,
and adding up its rows class by class is one product of matrices.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from config.errors import NotFound
from reservations.availability.plans import Plan, Stretch, TrainPlan, plans_of
from reservations.availability.seat_states import SeatState, read_states
from reservations.availability.words import Words


@dataclass(frozen=True, slots=True)
class StretchAsk:
    """How many seats of each class are free on this departure, from station to station (codes)?"""

    departure: int
    source: str
    destination: str


@dataclass(frozen=True, slots=True)
class FreeCount:
    """Seats free over the whole stretch, by class, at `as_of`. `stale`: holds were not seen."""

    by_class: Mapping[str, int]
    as_of: datetime
    stale: bool


def count_many(asks: Sequence[StretchAsk]) -> list[FreeCount]:
    """An answer to each, in their order. Raises `NotFound`, `Invalid` (no such stop)."""
    by_departure: defaultdict[int, list[int]] = defaultdict(list)
    for index, ask in enumerate(asks):
        by_departure[ask.departure].append(index)
    plans = plans_of(by_departure)
    if unknown := by_departure.keys() - plans.keys():
        raise NotFound(f"There is no departure {min(unknown)}.")
    states = read_states(plans)
    found: dict[int, FreeCount] = {}
    for departure, places in by_departure.items():
        counts = _counts(plans[departure], states[departure], [asks[index] for index in places])
        found.update(zip(places, counts, strict=True))
    return [found[index] for index in range(len(asks))]


def _counts(plan: Plan, state: SeatState, asks: Sequence[StretchAsk]) -> list[FreeCount]:
    train = plan.train
    stretches = [plan.stretch(ask.source, ask.destination) for ask in asks]
    free = _free(state.taken, stretches)
    names = train.class_names
    return [
        FreeCount(dict(zip(names, column, strict=True)), state.as_of, state.stale)
        for column in (_classes(train) @ free).astype(np.int64).T.tolist()
    ]


def _free(taken: Words, stretches: Sequence[Stretch]) -> NDArray[np.float32]:
    """Seats by stretches: 1 where all legs of the stretch are free."""
    words = taken.shape[1]
    masks = np.frombuffer(b"".join(each.mask(words) for each in stretches), "<u4")
    masks = masks.reshape(len(stretches), words)
    touched = taken[:, :1] & masks[:, 0]
    for word in range(1, words):
        touched |= taken[:, word : word + 1] & masks[:, word]
    free: NDArray[np.float32] = (touched == 0).astype(np.float32)
    return free


@lru_cache(maxsize=256)
def _classes(train: TrainPlan) -> NDArray[np.float32]:
    """Classes by seats: 1 where the seat is of the class. Float: BLAS multiplies no whole numbers,
    and counts up to 2**24 are exact.
    """
    numbers = np.arange(len(train.class_names))[:, None]
    of_class: NDArray[np.float32] = (train.class_of[None, :] == numbers).astype(np.float32)
    return of_class

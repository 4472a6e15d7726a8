"""Which seats to rank, by class and berth, and who of a party gets which seat. Pure."""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from reservations.availability.train_plan import TrainPlan
from reservations.availability.words import Words


def only_positions(taken: Words, train: TrainPlan, positions: Collection[str]) -> Words:
    """The same words with every seat of another position taken, over all its legs."""
    return _only(taken, np.array([position in positions for position in train.positions]))


def only_classes(taken: Words, train: TrainPlan, classes: Collection[str]) -> Words:
    """The same words with every seat of another travel class taken, over all its legs."""
    wanted = [at for at, name in enumerate(train.class_names) if name in classes]
    return _only(taken, np.isin(train.class_of, wanted))


def _only(taken: Words, wanted: NDArray[np.bool_]) -> Words:
    return np.where(wanted[:, None], taken, np.uint32(0xFFFFFFFF)).astype("<u4")


def seat_party(positions: Sequence[str], wishes: Sequence[str | None]) -> list[int]:
    """Give each traveller a seat of the group: for each seat the index of who sits on it.

    `positions` and `wishes` are of one length. Whoever wishes for a position that is there gets
    it, first come; the others fill what is left, in order.
    """
    left = list(range(len(positions)))
    seat_of: dict[int, int] = {}
    for person, wish in enumerate(wishes):
        fitting = next((seat for seat in left if wish and positions[seat] == wish), None)
        if fitting is not None:
            seat_of[person] = fitting
            left.remove(fitting)
    for person in range(len(wishes)):
        if person not in seat_of:
            seat_of[person] = left.pop(0)
    return sorted(seat_of, key=lambda person: seat_of[person])

"""What a watcher sees of a departure on one stretch, as arrays, and what changed between two looks.

Who judges is the seat map (`reservations.api.departures.seat_map`); here are only other words for
the same answer.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from reservations.api.departures.seat_map import last_holds, touched
from reservations.availability.plans import Plan, Stretch
from reservations.availability.ranking import free_mask
from reservations.availability.seat_states import SeatState
from reservations.availability.seating import walking_order
from reservations.availability.train_plan import TrainPlan
from reservations.holds.members import moment

STATUSES: Final = ("free", "held", "sold", "blocked")
FREE, HELD, SOLD, BLOCKED = range(4)
# No end is known: the hold is being confirmed.
NO_END: Final = 0

encode: Final = msgspec.json.Encoder(decimal_format="string").encode


@dataclass(frozen=True, eq=False)
class Marks:
    """By ordinal: `status` (index into STATUSES, uint8), `until_ms` (int64, Redis's clock)."""

    status: NDArray[np.uint8]
    until_ms: NDArray[np.int64]

    @property
    def free(self) -> int:
        """How many seats are free."""
        return int((self.status == FREE).sum())


def mark(plan: Plan, state: SeatState, stretch: Stretch) -> Marks:
    """Every seat on this stretch. A place of the image without a seat is marked blocked."""
    train = plan.train
    free = free_mask(train, state.taken, stretch)
    status = np.where(free, FREE, HELD).astype(np.uint8)
    status[touched(state.sold, stretch)] = SOLD
    status[touched(state.blocked, stretch) | (train.class_of < 0)] = BLOCKED
    until_ms = np.full(train.places, NO_END, np.int64)
    for ordinal, hold in last_holds(state, stretch).items():
        if ordinal < train.places and status[ordinal] == HELD and not hold.pinned:
            until_ms[ordinal] = hold.deadline_ms
    return Marks(status, until_ms)


def changed(before: Marks, after: Marks) -> list[int]:
    """The ordinals at which the two differ; both are of one train."""
    differs = (before.status != after.status) | (before.until_ms != after.until_ms)
    found: list[int] = np.flatnonzero(differs).tolist()
    return found


def seats(train: TrainPlan, marks: Marks, ordinals: Iterable[int]) -> list[dict[str, Any]]:
    """`{seat, status, held_until?}` for these places."""
    found = []
    for ordinal in ordinals:
        seat: dict[str, Any] = {
            "seat": train.labels[ordinal],
            "status": STATUSES[marks.status[ordinal]],
        }
        until_ms = int(marks.until_ms[ordinal])
        if until_ms != NO_END:
            seat["held_until"] = moment(until_ms)
        found.append(seat)
    return found


def all_seats(train: TrainPlan, marks: Marks) -> list[dict[str, Any]]:
    """The same for every seat, in walking order."""
    return seats(train, marks, walking_order(train).tolist())

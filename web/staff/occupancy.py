"""How full a departure is, leg by leg, from its seat image: what is held counts, too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reservations.availability.plans import Plan
from reservations.availability.seat_states import SeatState, read_states
from reservations.availability.train_plan import TrainPlan
from reservations.availability.words import Words

Bits = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Filled:
    """One departure. By leg: seats sold and held; `seats` may be sold (blocked ones may not).

    `sold_by_coach`: taken seats (sold or held) by coach and leg; `seats_by_coach` beside it.
    """

    plan: Plan
    seats: int
    blocked: int
    sold: NDArray[np.int64]
    held: NDArray[np.int64]
    taken_by_coach: NDArray[np.int64]
    seats_by_coach: NDArray[np.int64]
    stale: bool

    @property
    def shares(self) -> list[float | None]:
        """Taken share of each leg, 0 to 1; None without a seat."""
        taken = (self.sold + self.held).tolist()
        return [each / self.seats if self.seats else None for each in taken]

    @property
    def share(self) -> float | None:
        """Sold seat-legs of all there are."""
        legs = self.plan.train.legs
        return float(self.sold.sum()) / (self.seats * legs) if self.seats * legs else None

    @property
    def held_share(self) -> float | None:
        legs = self.plan.train.legs
        return float(self.held.sum()) / (self.seats * legs) if self.seats * legs else None


def fill(plans: Mapping[int, Plan]) -> list[Filled]:
    """How full these departures are now: one Redis round trip, in the order given."""
    states = read_states(plans)
    return [_filled(plan, states[departure]) for departure, plan in plans.items()]


def _filled(plan: Plan, state: SeatState) -> Filled:
    train = plan.train
    is_seat = train.class_of >= 0
    blocked = legs_of(train, state.blocked) & is_seat[:, None]
    sold = legs_of(train, state.sold) & ~blocked & is_seat[:, None]
    held = legs_of(train, state.held) & ~sold & ~blocked & is_seat[:, None]
    for_sale = is_seat & ~blocked.any(axis=1)
    coaches = range(len(train.coaches))
    members: Sequence[Bits] = [(train.coach_of == coach) & for_sale for coach in coaches]
    taken = sold | held
    return Filled(
        plan=plan,
        seats=int(for_sale.sum()),
        blocked=int((is_seat & blocked.any(axis=1)).sum()),
        sold=sold.sum(axis=0),
        held=held.sum(axis=0),
        taken_by_coach=np.array([taken[each].sum(axis=0) for each in members]).reshape(
            len(members), train.legs
        ),
        seats_by_coach=np.array([int(each.sum()) for each in members]),
        stale=state.stale,
    )


def legs_of(train: TrainPlan, words: Words) -> Bits:
    """A seat image as (places, legs) of bool."""
    octets = np.ascontiguousarray(words.astype("<u4")).view(np.uint8)
    bits = np.unpackbits(octets, axis=1, bitorder="little")
    legs: Bits = bits[:, : train.legs].astype(np.bool_)
    return legs

"""Free seats by class of the departures of a search, as Redis has them now.

This process keeps the images it has seen, each under the mark it was told with (`holds.looks`), and
asks on every search whether the marks still stand: what has not changed is not sent again, nor
counted again for a stretch it was counted for. Redis is asked every time, so nothing is shown that
is older than the question. What Redis cannot say, `seat_states` finds out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import redis.exceptions

from config.errors import StoreUnavailable
from reservations.availability.memory import BoundedMemory
from reservations.availability.plans import Plan, Stretch, TrainPlan
from reservations.availability.ranking import free_mask
from reservations.availability.seat_states import read_states
from reservations.availability.waiting import Queue, queues_of
from reservations.availability.words import Words, words_of
from reservations.holds.looks import Look, Looks, Unseen, look

# An image of 1,000 seats and up to 32 legs takes 4 KB.
IMAGES_KEPT: Final = 2_048
STRETCHES_COUNTED: Final = 256


@dataclass(frozen=True, slots=True)
class FreeNow:
    """Of one departure and stretch: free seats by class, in the order of `class_names`."""

    counts: Sequence[int]
    queues: Sequence[Queue]


@dataclass(frozen=True, slots=True)
class FreeSeats:
    """One for each departure asked for, in their order. `stale`: holds could not be seen."""

    departures: Sequence[FreeNow]
    stale: bool


@dataclass(frozen=True, eq=False)
class _Image:
    """What was seen of a departure, and what was counted in it since."""

    train: TrainPlan
    mark: bytes
    taken: Words
    queues: Sequence[Queue]
    counted: dict[Stretch, FreeNow] = field(default_factory=dict)


_images: BoundedMemory[int, _Image] = BoundedMemory(IMAGES_KEPT)

Run = tuple[Plan, Stretch]


def free_now(runs: Sequence[Run]) -> FreeSeats:
    """One round trip to Redis, and two queries for departures whose image is not loaded."""
    kept = [_kept(plan) for plan, _ in runs]
    try:
        seen = _look(runs, kept)
    except (redis.exceptions.RedisError, StoreUnavailable):
        return _by_states(runs)
    return _seen(runs, kept, seen)


def free_under(mark: bytes, runs: Sequence[Run]) -> FreeSeats | None:
    """The same, if the timetable has this mark still. None: it has another, or Redis is away, and
    the runs are to be read again.
    """
    kept = [_kept(plan) for plan, _ in runs]
    try:
        seen = _look(runs, kept)
    except (redis.exceptions.RedisError, StoreUnavailable):
        return None
    return _seen(runs, kept, seen) if seen.timetable == mark else None


def _look(runs: Sequence[Run], kept: Sequence[_Image | None]) -> Looks:
    marks = [b"" if image is None else image.mark for image in kept]
    return look([plan.departure for plan, _ in runs], marks)


def _seen(runs: Sequence[Run], kept: Sequence[_Image | None], seen: Looks) -> FreeSeats:
    found: list[FreeNow | None] = []
    for (plan, stretch), image, now in zip(runs, kept, seen.departures, strict=True):
        if isinstance(now, Look):
            found.append(_counted(_keep(plan, now), stretch))
        elif now is Unseen.SAME and image is not None:
            found.append(image.counted.get(stretch) or _counted(image, stretch))
        else:
            found.append(None)
    missing = [run for run, each in zip(runs, found, strict=True) if each is None]
    if not missing:
        return FreeSeats([each for each in found if each is not None], stale=False)
    rest = _by_states(missing)
    others = iter(rest.departures)
    return FreeSeats([each or next(others) for each in found], rest.stale)


def forget_images() -> None:
    """Empty this process's memory of images."""
    _images.clear()


def _kept(plan: Plan) -> _Image | None:
    """What was seen of this departure, if its train has the same seats still."""
    image = _images.get(plan.departure)
    return image if image is not None and image.train is plan.train else None


def _keep(plan: Plan, now: Look) -> _Image:
    train = plan.train
    taken = words_of(now.held, train) | words_of(now.sold, train)
    if now.kept:
        taken |= words_of(now.kept, train)
    image = _Image(train, now.mark, taken, queues_of(now.waiting.decode()))
    _images.put(plan.departure, image)
    return image


def _counted(image: _Image, stretch: Stretch) -> FreeNow:
    counts = FreeNow(_count(image.train, image.taken, stretch), image.queues)
    if len(image.counted) < STRETCHES_COUNTED:
        image.counted[stretch] = counts
    return counts


def _count(train: TrainPlan, taken: Words, stretch: Stretch) -> list[int]:
    free = train.class_of[free_mask(train, taken, stretch)]
    counts: list[int] = np.bincount(free, minlength=len(train.class_names)).tolist()
    return counts


def _by_states(runs: Sequence[Run]) -> FreeSeats:
    """The same from `seat_states`, which ends what ran out and can do without Redis."""
    states = read_states({plan.departure: plan for plan, _ in runs})
    departures = []
    for plan, stretch in runs:
        state = states[plan.departure]
        departures.append(FreeNow(_count(plan.train, state.taken, stretch), state.queues))
    return FreeSeats(departures, any(each.stale for each in states.values()))

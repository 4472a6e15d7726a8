"""Who waits for seats, as the engine must know it: the mark that keeps seats from new locks.

While somebody waits for a class and a stretch, all seats of that class are kept on its legs: the
lock script takes them for nobody but an offer, and maps show what is free of them as held. The
seats of an offer are kept as well, so that a hold which Redis forgets goes to nobody else before
the waitlist has dealt with it.

The rows are the truth, and the waitlist (an app that may be left out) registers who reads them;
without one nobody ever waits. `refresh_image` writes the mark beside the seat image, as two things:
a seat image of what is kept, for the script, and a line of text, for people and counts:

    SL:0-3:17,CC:1-2:1     seventeen parties wait for SL on legs 0 to 2, one for CC on leg 1
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reservations.availability.stretches import Stretch
from reservations.availability.train_plan import NO_SEAT, Plan
from reservations.availability.words import Ints, Words, no_words, set_legs


@dataclass(frozen=True, slots=True)
class Queue:
    """So many parties wait for a class on one stretch."""

    travel_class: str
    stretch: Stretch
    parties: int


@dataclass(frozen=True, slots=True)
class Offered:
    """The seats (ids) of an offer that was not answered yet."""

    seat_ids: Sequence[int]
    stretch: Stretch


@dataclass(frozen=True, slots=True)
class Waiting:
    """All who wait on one departure, and what they were offered."""

    queues: tuple[Queue, ...] = ()
    offered: tuple[Offered, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.queues and not self.offered

    @property
    def text(self) -> str:
        """The queues in one line; `queues_of` reads it."""
        return ",".join(
            f"{each.travel_class}:{each.stretch.from_stop}-{each.stretch.to_stop}:{each.parties}"
            for each in self.queues
        )


NOBODY = Waiting()
Reader = Callable[[Collection[int]], Mapping[int, Waiting]]
_readers: list[Reader] = []


def register(reader: Reader) -> None:
    """Let the waitlist say who waits: `reader` gives it for departures, in one query."""
    if reader not in _readers:
        _readers.append(reader)


def read_waiting(departures: Collection[int]) -> dict[int, Waiting]:
    """Who waits on each of these departures, from PostgreSQL; no query without a waitlist."""
    found: dict[int, Waiting] = dict.fromkeys(departures, NOBODY)
    for reader in _readers:
        found |= reader(departures)
    return found


def kept_words(plan: Plan, waiting: Waiting) -> Words:
    """The seats and legs that are kept from new locks, as an image."""
    train, words = plan.train, no_words(plan.train)
    for queue in waiting.queues:
        ordinals = train.classes.get(queue.travel_class)
        if ordinals is not None:
            _set(words, ordinals, queue.stretch)
    for offer in waiting.offered:
        chosen = np.isin(train.seat_ids, list(offer.seat_ids)) & (train.seat_ids != NO_SEAT)
        _set(words, np.flatnonzero(chosen), offer.stretch)
    return words


def _set(words: Words, ordinals: Ints, stretch: Stretch) -> None:
    from_stops, to_stops = (
        np.full(len(ordinals), stop, np.int64) for stop in (stretch.from_stop, stretch.to_stop)
    )
    set_legs(words, np.asarray(ordinals, np.int64), from_stops, to_stops)


def queues_of(text: str) -> tuple[Queue, ...]:
    """Read `Waiting.text`."""
    return tuple(_queue(part) for part in text.split(",") if part)


def _queue(part: str) -> Queue:
    travel_class, legs, parties = part.rsplit(":", 2)
    from_stop, to_stop = legs.split("-")
    return Queue(travel_class, Stretch(int(from_stop), int(to_stop)), int(parties))


def parties_waiting(
    queues: Collection[Queue], stretch: Stretch, travel_class: str | None = None
) -> int:
    """How many parties wait for a class (None: any) on a stretch that overlaps this one."""
    if not queues:
        return 0
    return sum(
        queue.parties
        for queue in queues
        if travel_class in {None, queue.travel_class} and queue.stretch.overlaps(stretch)
    )

"""Other seats for those who lose theirs: a pure function over the seat image.

Large parties first, each of one class together as far as it goes (`ranking`), each passenger on a
seat of the same position where there is one. A party that does not fit as a whole gets what is
free; who is left over has no seat.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from reservations.availability import ranking
from reservations.availability.berths import seat_party
from reservations.availability.plans import Stretch, TrainPlan
from reservations.availability.words import Words, set_legs

_ALWAYS_THE_SAME: Final = 1
"""Seed of the chance among groups that are as good: the same plan for the same train."""


@dataclass(frozen=True, kw_only=True)
class Party:
    """Seats (ordinals, of one class) that a booking loses on its stretch."""

    booking: int
    stretch: Stretch
    ordinals: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Move:
    """A passenger's seat, and the other one; None: there is none."""

    booking: int
    old: int
    new: int | None


def reseat(train: TrainPlan, taken: Words, parties: Sequence[Party]) -> list[Move]:
    """A seat for each that is lost; `taken` has every seat that may not be given, lost ones too."""
    words = taken.copy()
    moves: list[Move] = []
    for party in sorted(parties, key=lambda each: (-len(each.ordinals), each.booking)):
        new = _seats_for(train, words, party)
        moves += [
            Move(booking=party.booking, old=old, new=other)
            for old, other in zip(party.ordinals, new, strict=True)
        ]
        given = np.array([other for other in new if other is not None], np.int64)
        stops = (np.full_like(given, stop) for stop in (party.stretch.from_stop,
                                                        party.stretch.to_stop))  # fmt: skip
        set_legs(words, given, *stops)
    return moves


def _seats_for(train: TrainPlan, taken: Words, party: Party) -> list[int | None]:
    travel_class = train.travel_class_of(party.ordinals[0])
    free = ranking.count_free(train, taken, party.stretch).get(travel_class, 0)
    count = min(len(party.ordinals), free)
    if not count:
        return [None] * len(party.ordinals)
    (group,) = ranking.rank(
        plan=train,
        taken=taken,
        travel_class=travel_class,
        stretch=party.stretch,
        count=count,
        limit=1,
        rng=np.random.default_rng(_ALWAYS_THE_SAME),
    )
    positions = [train.positions[ordinal] for ordinal in group]
    wishes = [train.positions[ordinal] or None for ordinal in party.ordinals[:count]]
    person_on = seat_party(positions, wishes)
    seat_of = {person: group[at] for at, person in enumerate(person_on)}
    return [seat_of.get(person) for person in range(len(party.ordinals))]

"""Which seats to offer: Python ranks, the lock script decides.

The seat image says which legs of each seat are taken. From it come groups of free seats, best
first; the script takes the first that is still free. So nothing here must be exact or exclusive,
only good and quick (some 0.1 ms for 1,000 seats, 0.3 where no bay or row has room).

What makes a group good, in this order:

1. together: in one bay or row; else with as few units, then gaps, between them; else in one coach
2. best fit: the seats whose free gap around the stretch is closest to it, so that seats that are
   free for long stay so and long journeys remain sellable

       legs      0 1 2 3 4 5 6 7
       seat 1    x x . . . x x x    asked for [2, 5): fits, wastes 0
       seat 2    . . . . . . . .    wastes 5

3. no single seat left over on its side of the aisle
4. close together across the coach
5. chance: two thousand who ask at once shall not all be offered the same two seats
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from reservations.availability.parties import listed, parties_of
from reservations.availability.seating import Seating, seating_of
from reservations.availability.stretches import Stretch
from reservations.availability.train_plan import TrainPlan
from reservations.availability.words import Ints, Words
from trains.classes import sort_key

Preference = Literal["together", "window", "any"]
Flags = NDArray[np.bool_]
Groups = list[list[int]]
"""Lists of places in a seating."""

# More than seats of one coach can ever be apart; small enough for the sums below.
ANOTHER_COACH: Final = 4096
SUGGESTIONS: Final = 6
# How many of the best groups are looked at for each that is wanted: neighbours overlap a lot.
LOOKED_AT: Final = 12
# Of four groups three are the best; the last is any that is as close together, so that the best
# being contested does not mean that all are.
BEST_SHARE: Final = 0.75
LARGEST_WASTE: Final = 8191
# In place of what a free seat wastes; no group of free seats adds up to as much.
TAKEN: Final = 1 << 40


@dataclass(frozen=True)
class _Asked:
    """What is asked for, and where: `at` are the free places of the seating, `waste` runs along
    them.
    """

    seating: Seating
    at: Ints
    waste: Ints
    count: int
    limit: int
    by_window: bool
    chance: np.random.Generator


def free_mask(plan: TrainPlan, taken: Words, stretch: Stretch) -> Flags:
    """For each place in the image, whether there is a seat and all its legs are free.

    `taken`: (places, words) uint32, held or sold.
    """
    mask = np.frombuffer(stretch.mask(plan.words), "<u4")
    if plan.words == 1:
        free: Flags = (taken[:, 0] & mask[0]) == 0
    else:
        free = ~(taken & mask).any(axis=1)
    return free & (plan.class_of >= 0)


def count_free(plan: TrainPlan, taken: Words, stretch: Stretch) -> dict[str, int]:
    """How many seats of each class are free over the whole stretch; classes in coach order."""
    free = plan.class_of[free_mask(plan, taken, stretch)]
    counts = np.bincount(free, minlength=len(plan.class_names))
    return dict(zip(plan.class_names, counts.tolist(), strict=True))


def rank(  # noqa: PLR0913  # what is asked for, keyword by keyword
    *,
    plan: TrainPlan,
    taken: Words,
    travel_class: str | None,
    stretch: Stretch,
    count: int,
    preference: Preference = "together",
    limit: int = 16,
    rng: np.random.Generator | None = None,
) -> list[tuple[int, ...]]:
    """At most `limit` groups of `count` free seats (ordinals, ascending), best first.

    `taken`: (places, words) uint32, held or sold. Without a class, the least expensive one that
    has enough free seats is taken. No two groups are the same, and they share no seat as long as
    there are enough. Empty if fewer than `count` seats are free.
    """
    if count < 1 or limit < 1:
        raise ValueError("count and limit must be at least 1")
    free = free_mask(plan, taken, stretch)
    seating = seating_of(plan, travel_class or _class_to_offer(plan, free, count))
    at = np.flatnonzero(free[seating.ordinals])
    if at.size < count:
        return []
    asked = _Asked(
        seating=seating,
        at=at,
        waste=_waste(taken[seating.ordinals[at]], stretch, plan.legs),
        count=count,
        limit=limit,
        by_window=preference == "window",
        chance=rng or _chance(os.getpid()),
    )
    close = preference != "any"
    chosen = (_in_one_unit(asked) or _together(asked)) if close else _scattered(asked)
    return [tuple(sorted(group)) for group in seating.ordinals[chosen].tolist()]


def suggest(  # noqa: PLR0913  # as `rank`
    plan: TrainPlan,
    taken: Words,
    stretch: Stretch,
    *,
    travel_class: str,
    near: Sequence[int],
    limit: int = SUGGESTIONS,
) -> list[str]:
    """Labels of free seats of the class, nearest first to the seats (ordinals) in `near`."""
    seating = seating_of(plan, travel_class)
    free = free_mask(plan, taken, stretch)[seating.ordinals]
    free &= ~np.isin(seating.ordinals, near)
    at = np.flatnonzero(free)
    wanted = np.flatnonzero(np.isin(seating.ordinals, near))
    if not at.size:
        return []
    apart = np.zeros(at.size, np.int64)
    if wanted.size:
        coaches = np.abs(seating.coach[at][:, None] - seating.coach[wanted])
        units = np.abs(seating.unit[at][:, None] - seating.unit[wanted])
        numbers = np.abs(seating.number[at][:, None] - seating.number[wanted])
        apart = (coaches * ANOTHER_COACH**2 + units * ANOTHER_COACH + numbers).min(axis=1)
    nearest = at[np.argsort(apart, kind="stable")[:limit]]
    return [plan.labels[ordinal] for ordinal in seating.ordinals[nearest].tolist()]


@lru_cache(maxsize=1)
def _chance(pid: int) -> np.random.Generator:
    """That of a process; a new one costs as much as the choice itself. It has a lock inside."""
    del pid
    return np.random.default_rng()


def _class_to_offer(plan: TrainPlan, free: Flags, count: int) -> str | None:
    """The least expensive class with enough free seats; None (all of them) if none has."""
    counts = np.bincount(plan.class_of[free], minlength=len(plan.class_names))
    enough = [name for name, n in zip(plan.class_names, counts, strict=True) if n >= count]
    return max(enough, key=sort_key, default=None)


def _waste(rows: Words, stretch: Stretch, legs: int) -> Ints:
    """For each seat that is free over the stretch, the free legs directly before and after it."""
    bits = np.ones((len(rows), legs + 2), np.bool_)  # a taken leg beyond either end
    as_bytes = np.ascontiguousarray(rows, "<u4").view(np.uint8)
    bits[:, 1:-1] = np.unpackbits(as_bytes, axis=1, count=legs, bitorder="little")
    before: Ints = bits[:, stretch.from_stop :: -1].argmax(axis=1)
    after: Ints = bits[:, stretch.to_stop + 1 :].argmax(axis=1)
    return before + after


def _scattered(asked: _Asked) -> Groups:
    """Groups of the seats that fit best, wherever they are."""
    bench = asked.seating.bench[asked.at]
    left_alone = np.bincount(bench)[bench] == 2  # taking this one leaves a single neighbour
    order = np.lexsort((asked.chance.random(asked.at.size), left_alone, asked.waste))
    groups = min(asked.limit, asked.at.size // asked.count)
    seats = asked.at[order[: groups * asked.count]]
    found: Groups = seats.reshape(groups, asked.count).tolist()
    return found


def _in_one_unit(asked: _Asked) -> Groups:
    """Groups that share a bay or row, and no seat.

    None of them if there are not so many: then those further apart are to be looked at too.
    """
    seating, at = asked.seating, asked.at
    parties = parties_of(seating, asked.count)
    if parties is None:
        return []
    waste = np.full(seating.unit.size, TAKEN, np.int64)
    waste[at] = asked.waste
    wasted = waste[parties.members].sum(axis=0)
    is_open = wasted < TAKEN
    if asked.by_window:
        is_open &= parties.windows > 0
    among = np.flatnonzero(is_open)
    if among.size < asked.limit:
        return []
    apart = np.zeros(among.size, np.int64)
    if asked.by_window:
        apart += asked.count - parties.windows[among]
    free_on = np.bincount(seating.bench[at], minlength=seating.benches)
    lonely = _left_alone(parties.benches[:, among], parties.on_benches[:, among], free_on)
    cost = _cost(apart, wasted[among], lonely, parties.spread[among])
    chosen = _distinct(parties.members[:, among].T, apart, cost, asked)
    return chosen if len(set().union(*chosen)) == asked.limit * asked.count else []


def _left_alone(benches: Ints, on_benches: Ints, free_on: Ints) -> Ints:
    """How many single free seats a group leaves behind on the benches at its two ends.

    `benches`, `on_benches`: see `Parties`; `free_on`: by bench, how many are free.
    """
    alone = free_on[benches] - on_benches == 1
    alone[1] &= benches[0] != benches[1]
    lonely: Ints = alone.sum(axis=0)
    return lonely


def _cost(apart: Ints, wasted: Ints, lonely: Ints, spread: Ints) -> Ints:
    """One number a group; 2**53 has room for all, and for a fraction of chance."""
    cost: Ints = ((apart * 8192 + np.minimum(wasted, LARGEST_WASTE)) * 4 + lonely) * 64 + spread
    return cost


def _together(asked: _Asked) -> Groups:
    """Groups that sit as closely as they can."""
    seating, at, waste, count = asked.seating, asked.at, asked.waste, asked.count
    groups = _neighbours(seating.unit[at], waste, count)
    members = np.ascontiguousarray(groups.T)  # (count, groups): sums run along whole rows
    apart = _apart(seating, at[groups[:, 0]], at[groups[:, -1]], count)
    found = listed(seating, at[members])
    if asked.by_window:
        windows = found.windows
        apart = (windows == 0) * ANOTHER_COACH**2 * 2 + apart * (count + 1) + count - windows
    lonely = _left_alone(found.benches, found.on_benches, np.bincount(seating.bench[at]))
    cost = _cost(apart, waste[members].sum(axis=0), lonely, found.spread)
    return _distinct(at[groups], apart, cost, asked)


def _neighbours(unit: Ints, waste: Ints, count: int) -> Ints:
    """Candidate groups: free seats that follow each other, and the best fitting of each unit."""
    walk = sliding_window_view(np.arange(unit.size), count)
    if count == 1:
        return walk
    by_fit = sliding_window_view(np.lexsort((waste, unit)), count)
    by_fit = by_fit[unit[by_fit[:, 0]] == unit[by_fit[:, -1]]]
    return np.concatenate((walk, np.sort(by_fit, axis=1)))


def _apart(seating: Seating, first: Ints, last: Ints, count: int) -> Ints:
    """How far groups are from sitting together, by their first and last seats: 0 in one unit, or
    in as few as can hold them.
    """
    units = seating.unit[last] - seating.unit[first]
    needed = -(-count // seating.unit_size[first]) - 1
    gaps = seating.number[last] - seating.number[first] != count - 1
    apart = np.where(units == 0, 0, 2 * np.maximum(units - needed, 0) + gaps)
    coaches = seating.coach[last] - seating.coach[first]
    return np.where(coaches > 0, ANOTHER_COACH * coaches, np.minimum(apart, ANOTHER_COACH - 1))


def _distinct(groups: Ints, apart: Ints, cost: Ints, asked: _Asked) -> Groups:
    """The best groups, which share no seat if that can be; of those that cost the same, any."""
    limit, chance = asked.limit, asked.chance
    drawn = cost + chance.random(len(groups))
    looked_at = min(len(groups), LOOKED_AT * limit)
    best = np.argpartition(drawn, looked_at - 1)[:looked_at]
    best = best[np.argsort(drawn[best])]
    alike = np.flatnonzero(apart <= apart[best[0]])
    others = alike[chance.integers(alike.size, size=2 * limit)]

    seen: set[int] = set()
    chosen: list[list[int]] = []
    in_order = groups[best].tolist()
    _pick(in_order, seen, chosen, max(1, int(limit * BEST_SHARE)))
    _pick(groups[others].tolist(), seen, chosen, limit)
    _pick(in_order, seen, chosen, limit)
    if len(chosen) == limit:
        return chosen
    known = {tuple(group) for group in chosen}
    for group in in_order:  # too few seats for groups that share none
        if len(chosen) == limit:
            break
        if tuple(group) not in known:
            known.add(tuple(group))
            chosen.append(group)
    return chosen


def _pick(groups: Sequence[list[int]], seen: set[int], chosen: list[list[int]], limit: int) -> None:
    """Add groups in their order, skipping those with a seat that was seen, up to `limit`."""
    for group in groups:
        if len(chosen) >= limit:
            return
        if seen.isdisjoint(group):
            seen.update(group)
            chosen.append(group)

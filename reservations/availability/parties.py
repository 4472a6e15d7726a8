"""Every group of so many seats that share a bay or a row, listed once a class and size.

Who asks for two together nearly always can have two of one bay. Which groups those are does not
change while the plan stays, so ranking need only look which of them are free: a few operations
over whole arrays instead of finding neighbours anew for everybody who asks.
"""

from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Final
from weakref import WeakKeyDictionary

import numpy as np

from reservations.availability.seating import Seating
from reservations.availability.words import Ints

# 70 groups of four in a bay of eight, 90 bays: 6,300. More would cost more than they save.
MOST_GROUPS: Final = 8_192
WIDEST: Final = 63


@dataclass(frozen=True, eq=False)
class Parties:
    """Arrays along the groups; `members` (count, groups) are places in the seating, ascending.

    - `windows`: how many can look out; `spread`: how far they reach across, in seat widths
    - `benches` (2, groups): those of the first and the last seat; `on_benches` (2, groups): how
      many of the group sit there
    """

    members: Ints
    windows: Ints
    spread: Ints
    benches: Ints
    on_benches: Ints


_kept: "WeakKeyDictionary[Seating, dict[int, Parties | None]]" = WeakKeyDictionary()


def parties_of(seating: Seating, count: int) -> Parties | None:
    """The groups of `count` seats within a unit; None if there is none, or too many to list."""
    by_count = _kept.setdefault(seating, {})
    if count not in by_count:
        by_count[count] = _parties(seating, count)
    return by_count[count]


def _parties(seating: Seating, count: int) -> Parties | None:
    # Walking order keeps a unit's seats side by side: each unit is a range.
    starts = np.flatnonzero(np.diff(seating.unit, prepend=-1))
    sizes = np.diff(starts, append=seating.unit.size).tolist()
    number = sum(comb(size, count) for size in sizes)
    if not 0 < number <= MOST_GROUPS:
        return None
    groups = [
        group
        for start, size in zip(starts.tolist(), sizes, strict=True)
        for group in combinations(range(start, start + size), count)
    ]
    return listed(seating, np.ascontiguousarray(np.array(groups, np.int64).T))


def listed(seating: Seating, members: Ints) -> Parties:
    """What ranking must know of these groups."""
    bench, across = seating.bench[members], seating.across[members]
    benches = np.stack((bench.min(axis=0), bench.max(axis=0)))
    return Parties(
        members=members,
        windows=seating.at_window[members].sum(axis=0),
        spread=np.minimum(across.max(axis=0) - across.min(axis=0), WIDEST),
        benches=benches,
        on_benches=(bench == benches[:, None, :]).sum(axis=1),
    )

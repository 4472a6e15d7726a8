"""Is there one order of all actions that explains every answer?

The search of Wing and Gong ("Testing and verifying concurrent objects", 1993) with Lowe's
memory of configurations ("Testing for linearizability", 2016), as in Knossos and Porcupine: take
any action that no unfinished one precedes in time, see whether the state allows it, go on from
there; remember each (set of actions taken, state) and never go there twice.

Two things keep it fast. An action that only looks, and likes what it sees, is taken at once:
whatever order explains the rest also explains it here. And an action without an answer need not
be taken at all.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Generic, TypeVar

S = TypeVar("S", bound=Hashable)


@dataclass(frozen=True, kw_only=True)
class Action(Generic[S]):
    """Something that happened at one instant between `start` and `end`.

    `step` gives the state after it, the same one if it only looked, or None if the state does not
    allow it. An action that once only looks must never change a later state, unless it `may_wait`:
    then both orders are tried. `optional`: it may not have happened. `after`: another action, of
    the same list, that came before it.
    """

    what: str
    start: float
    end: float
    step: Callable[[S], S | None]
    optional: bool = False
    may_wait: bool = False
    after: "Action[S] | None" = None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """`explained`: an order was found. `stuck_at`: else, what the longest order could not take
    next. `is_decided`: False if the search was given up.
    """

    explained: bool
    is_decided: bool = True
    stuck_at: tuple[str, ...] = ()
    configurations: int = 0


def linearize(actions: Sequence[Action[S]], initial: S, *, bound: int = 100_000) -> Verdict:
    """Search for an order, through at most `bound` configurations."""
    search = _Search(actions)
    moves: list[tuple[int, S, int | None]] = [(0, initial, None)]
    seen: set[tuple[int, S]] = set()
    longest = -1
    stuck_at: tuple[str, ...] = ()
    while moves and len(seen) <= bound:
        configuration = search.make(*moves.pop())
        if configuration is None or configuration in seen:
            continue
        seen.add(configuration)
        taken, state = configuration
        if not search.required & ~taken:
            return Verdict(explained=True, configurations=len(seen))
        candidates = search.candidates(taken)
        depth = (taken & search.required).bit_count()
        if depth > longest:
            longest, stuck_at = depth, search.names(candidates)
        # The last one pushed is tried first: the one whose answer came first.
        candidates.sort(key=search.urgency, reverse=True)
        moves += [(taken, state, at) for at in candidates]
    return Verdict(
        explained=False, is_decided=not moves, stuck_at=stuck_at, configurations=len(seen)
    )


class _Search(Generic[S]):
    """The actions by their start; a set of them is a whole number, a bit for each."""

    def __init__(self, actions: Sequence[Action[S]]) -> None:
        self.actions = sorted(actions, key=lambda action: action.start)
        places = {id(action): at for at, action in enumerate(self.actions)}
        self._after = [
            1 << places[id(action.after)] if action.after is not None else 0
            for action in self.actions
        ]
        self.required = sum(
            1 << at for at, action in enumerate(self.actions) if not action.optional
        )
        optional = [at for at, action in enumerate(self.actions) if action.optional]
        self._endless = [at for at in optional if self.actions[at].end == inf]
        self._passing = [at for at in optional if self.actions[at].end < inf]
        self._starts = [self.actions[at].start for at in self._passing]
        self._longest = max(
            (self.actions[at].end - self.actions[at].start for at in self._passing), default=0.0
        )

    def candidates(self, taken: int) -> list[int]:
        """The actions not taken yet that no other required one, not taken yet, must precede."""
        found, horizon = self._needed(taken)
        # What has ended before an action that is taken began can no longer come after it.
        begun = self.actions[taken.bit_length() - 1].start if taken else -inf
        first = bisect_left(self._starts, begun - self._longest)
        last = bisect_right(self._starts, horizon)
        found += [
            at
            for at in (*self._passing[first:last], *self._endless)
            if not taken >> at & 1
            and begun <= self.actions[at].end
            and self.actions[at].start <= horizon
            and self._after[at] & ~taken == 0
        ]
        return found

    def _needed(self, taken: int) -> tuple[list[int], float]:
        """The required ones among the candidates, and until when all candidates must start."""
        left = self.required & ~taken
        first = (left & -left).bit_length() - 1 if left else len(self.actions)
        found = []
        horizon = inf
        for at in range(first, len(self.actions)):
            action = self.actions[at]
            if action.start > horizon:
                break
            if not taken >> at & 1 and not action.optional:
                horizon = min(horizon, action.end)
                found.append(at)
        needed = [
            at
            for at in found
            if self.actions[at].start <= horizon and self._after[at] & ~taken == 0
        ]
        return needed, horizon

    def make(self, taken: int, state: S, at: int | None) -> tuple[int, S] | None:
        """The configuration after this action, and after every look that may follow at once."""
        if at is not None:
            after = self.actions[at].step(state)
            if after is None or (after == state and not self.actions[at].may_wait):
                return None
            taken, state = taken | 1 << at, after
        return self.look_around(taken, state)

    def look_around(self, taken: int, state: S) -> tuple[int, S]:
        """Take every action that only looks at this state and may be taken now."""
        progress = True
        while progress:
            progress = False
            for at in self._needed(taken)[0]:
                if self.actions[at].step(state) == state and not self.actions[at].may_wait:
                    taken |= 1 << at
                    progress = True
        return taken, state

    def urgency(self, at: int) -> tuple[bool, float]:
        return self.actions[at].optional, self.actions[at].end

    def names(self, positions: Sequence[int]) -> tuple[str, ...]:
        return tuple(self.actions[at].what for at in positions if not self.actions[at].optional)

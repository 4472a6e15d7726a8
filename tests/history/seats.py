"""The state of a few seats of one departure, and what an action does to it or sees of it.

A state has for each seat in the scope a tuple with a number for each leg:

    0       free
    n > 0   held by hold number n
    n < 0   sold to the booking of hold number -n

Each function here gives a step for `linearize`; seats outside of the scope are left out.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

State = tuple[tuple[int, ...], ...]
Step = Callable[[State], State | None]


@dataclass(frozen=True)
class Place:
    """Some legs of some seats; `at` are the positions of the seats in the state."""

    at: tuple[int, ...]
    legs: range

    @property
    def seat_by_seat(self) -> "tuple[Place, ...]":
        return tuple(Place((seat,), self.legs) for seat in self.at)

    def owners(self, state: State) -> list[int]:
        return [state[seat][leg] for seat in self.at for leg in self.legs]

    def change(self, state: State, change: Callable[[int], int]) -> State:
        rows = list(state)
        for seat in self.at:
            row = list(rows[seat])
            for leg in self.legs:
                row[leg] = change(row[leg])
            rows[seat] = tuple(row)
        return tuple(rows)


@dataclass(frozen=True)
class Scope:
    """The seats a state is about, of a departure with so many legs."""

    seats: tuple[str, ...]
    legs: int

    @property
    def all_free(self) -> State:
        return ((0,) * self.legs,) * len(self.seats)

    def place(self, seats: Iterable[str], legs: range) -> Place:
        wanted = set(seats)
        return Place(tuple(at for at, seat in enumerate(self.seats) if seat in wanted), legs)


def take(place: Place, hold: int) -> Step:
    """All free, and now held."""

    def step(state: State) -> State | None:
        if any(place.owners(state)):
            return None
        return place.change(state, lambda _: hold)

    return step


def take_asleep(place: Place, hold: int) -> Step:
    """None held by another, and what is not sold is now held: Redis was away when it was sold, and
    does not know yet. Such a hold cannot be confirmed.
    """

    def step(state: State) -> State | None:
        owners = place.owners(state)
        if any(owner > 0 for owner in owners):
            return None
        return place.change(state, lambda owner: owner or hold)

    return step


def sell(place: Place, hold: int) -> Step:
    """All held by this hold, and now sold to it."""

    def step(state: State) -> State | None:
        if any(owner != hold for owner in place.owners(state)):
            return None
        return place.change(state, lambda _: -hold)

    return step


def sell_asleep(place: Place, hold: int) -> Step:
    """None sold to anybody, and now sold: P1 alone, for a time in which P2 sleeps."""

    def step(state: State) -> State | None:
        if any(owner < 0 for owner in place.owners(state)):
            return None
        return place.change(state, lambda _: -hold)

    return step


def let_go(place: Place, hold: int) -> Step:
    """What this hold holds is free (released, expired); what it does not hold stays as it is."""

    def step(state: State) -> State | None:
        return place.change(state, lambda owner: 0 if owner == hold else owner)

    return step


def give_back(place: Place, hold: int) -> Step:
    """All sold to this hold, and now free."""

    def step(state: State) -> State | None:
        if any(owner != -hold for owner in place.owners(state)):
            return None
        return place.change(state, lambda _: 0)

    return step


def lose(place: Place, hold: int) -> Step:
    """Somebody else has one of them sold, so this hold ends."""

    def step(state: State) -> State | None:
        if not any(owner < 0 and owner != -hold for owner in place.owners(state)):
            return None
        return place.change(state, lambda owner: 0 if owner == hold else owner)

    return step


def see(place: Place, is_so: Callable[[Sequence[int]], bool]) -> Step:
    """Nothing changes; `is_so` judges the owners of all legs."""
    return lambda state: state if is_so(place.owners(state)) else None


def see_taken(taken: Iterable[Place], free: Place) -> Step:
    """Of each place in `taken` some leg is not free; all of `free` is."""
    places = tuple(taken)

    def step(state: State) -> State | None:
        if any(free.owners(state)) or not all(any(place.owners(state)) for place in places):
            return None
        return state

    return step

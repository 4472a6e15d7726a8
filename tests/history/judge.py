"""Judge a history: every rule, and for every seat an order that explains all answers.

First each seat alone, which is quick and names the seat; then, because a call is all or none, the
seats that were asked for together, in one state. Not the latter on departures on sale while P2
slept: there a hold may lose its seats one by one, and too much is possible to be worth the search.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.history.actions import actions_on
from tests.history.events import History, Kind
from tests.history.linearize import Verdict, linearize
from tests.history.lives import Lives
from tests.history.rules import RULES
from tests.history.seats import Scope


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """`faults`: what no correct server could have answered. `undecided`: seats whose search was
    given up. `groups` is how many groups of seats were searched in one state, `given_up` those too
    large for that: of these only each seat alone is judged, which is told and is no fault.
    """

    calls: int
    seats: int
    groups: int
    faults: tuple[str, ...]
    undecided: tuple[str, ...]
    given_up: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        return not self.faults and not self.undecided


def judge(history: History, *, bound: int = 100_000) -> Judgement:
    """Look for faults; `bound`: how many configurations a search may see."""
    lives = Lives(history)
    faults = [f"{rule.__name__}: {words}" for rule in RULES for words in rule(lives)]
    undecided: list[str] = []
    given_up: list[str] = []
    seats = groups = 0
    for departure, route in history.routes.items():
        alone = [(seat,) for seat in route.seats]
        seats += len(alone)
        wrong = False
        together = () if _slept(lives, departure) else _together(history, departure)
        for group in (*alone, *together):
            if len(group) > 1 and wrong:
                continue  # told already, of the seat by itself
            groups += len(group) > 1
            actions = actions_on(lives, departure, group)
            verdict = linearize(actions, Scope(group, len(route.stops) - 1).all_free, bound=bound)
            if verdict.explained:
                continue
            wrong = wrong or verdict.is_decided
            unclear = undecided if len(group) == 1 else given_up
            words = _words(departure, group, verdict)
            (faults if verdict.is_decided else unclear).append(words)
    return Judgement(
        calls=len(history.calls),
        seats=seats,
        groups=groups,
        faults=tuple(faults),
        undecided=tuple(undecided),
        given_up=tuple(given_up),
    )


def _slept(lives: Lives, departure: int) -> bool:
    return any(life.sleeps for life in lives.lives if life.lock.departure == departure)


def _words(departure: int, group: tuple[str, ...], verdict: Verdict) -> str:
    stuck = "; ".join(verdict.stuck_at) or "nothing"
    name = ",".join(group[:8]) + ("…" if len(group) > 8 else "")
    return f"no order explains departure {departure}, {name}: stuck at {stuck}"


def _together(history: History, departure: int) -> Iterator[tuple[str, ...]]:
    """Groups of seats that calls for more than one of them tie together."""
    parent = {seat: seat for seat in history.routes[departure].seats}

    def root(seat: str) -> str:
        while parent[seat] != seat:
            seat = parent[seat]
        return seat

    for call in history.calls:
        if call.kind is Kind.LOCK and call.departure == departure:
            asked = [*call.seats, *(call.answer["seats"] if call.status == 201 else ())]
            known = [seat for seat in asked if seat in parent]
            for seat in known[1:]:
                parent[root(seat)] = root(known[0])
    groups: dict[str, list[str]] = {}
    for seat in parent:
        groups.setdefault(root(seat), []).append(seat)
    yield from (tuple(group) for group in groups.values() if len(group) > 1)

"""How a check is made and judged beside live traffic.

Two stores are never looked at in the same instant, so one look may find what is only on its way:
a seat cancelled in PostgreSQL whose bit is cleared a moment later. So a check that finds something
looks again, until the time for it is over, and only what stood there every time is reported.

    look 1   {A, B, C}
    look 2   {A,    C}        B was on its way
    look 3   {A, D}           D is too new to judge
    report   {A}
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from django.db import Error as DatabaseError
from redis.exceptions import RedisError

from config.errors import StoreUnavailable

PATIENCE_SECONDS: Final = 5.0
LOOK_EVERY_SECONDS: Final = 0.25
FINDINGS_SHOWN: Final = 50
AWAY: Final[tuple[type[Exception], ...]] = (RedisError, DatabaseError, StoreUnavailable)


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What to look at: these departures, or all (None).

    `patience_seconds`: how long a finding must stand before it is reported. `at_rest`: nothing
    runs, so nothing may be on its way: pins and facts waiting for the engine are findings too.
    """

    departures: tuple[int, ...] | None = None
    patience_seconds: float = PATIENCE_SECONDS
    at_rest: bool = False


@dataclass(frozen=True, kw_only=True)
class Look:
    """What one look saw: how many things, and what is wrong, each with its departure if any.

    A finding's words are its identity from look to look: no time and no count in them.
    """

    seen: int
    wrong: Mapping[str, int | None]


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that must be true. `look` raises what its store raises when that is away."""

    name: str
    about: str
    look: Callable[[Scope], Look]


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of a check. `unanswered`: why it could not be made; "" if it was."""

    name: str
    about: str
    seen: int = 0
    wrong: tuple[str, ...] = ()
    unanswered: str = ""

    @property
    def is_good(self) -> bool:
        return not self.wrong and not self.unanswered


def judge(check: Check, scope: Scope, *, away: tuple[type[Exception], ...] = AWAY) -> Result:
    """Look, and look again at what was wrong. A store that is away is said, not raised; `away`: by
    which errors it is known.
    """
    result = Result(name=check.name, about=check.about)
    deadline = time.monotonic() + scope.patience_seconds
    try:
        look = check.look(scope)
        standing = dict(look.wrong)
        last = False
        while standing and not last:
            last = time.monotonic() >= deadline
            if not last:
                time.sleep(LOOK_EVERY_SECONDS)
            again = check.look(_narrowed(scope, standing)).wrong
            standing = {words: where for words, where in standing.items() if words in again}
    except away as error:
        return replace(result, unanswered=f"{type(error).__name__}: {error}".strip())
    return replace(result, seen=look.seen, wrong=tuple(sorted(standing)))


def _narrowed(scope: Scope, standing: Mapping[str, int | None]) -> Scope:
    """Only the departures in question, if every finding has one."""
    departures = {where for where in standing.values() if where is not None}
    if any(where is None for where in standing.values()):
        return scope
    return replace(scope, departures=tuple(sorted(departures)))

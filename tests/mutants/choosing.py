"""Which tests can notice a mutant, soonest first.

Of Python code the map says it: one run of the quick suites under coverage, test by test. A Lua
script is run by one function of `reservations/holds/store.py`, so that function's tests are its
own.
"""

import ast
import json
import math
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

from tests.mutants.mutant import PRODUCT, Mutant
from tests.mutants.report import is_explained

POOL: Final = (
    "tests/reservations", "tests/promises", "tests/http", "tests/availability", "tests/analytics",
    "tests/front", "tests/surviving", "tests/scripts", "tests/waitlist", "tests/changing",
    "tests/cancellation", "tests/agents", "tests/trains", "tests/payments",
)  # fmt: skip
MOST: Final = 60  # tests at first, of those that run the changed line
MOST_SLOW: Final = 4
# Then, of a generic mutant, as many as took this long: what those cannot see, needs a better test.
MORE_SECONDS: Final = 60.0
SLOW_SECONDS: Final = 1.2
LIKELY: Final = Path(__file__).with_name("likely.toml")
STORE: Final = "reservations/holds/store.py"
RUN_BY: Final = {
    "lock": [f"{STORE}:lock"],
    "extend": [f"{STORE}:extend"],
    "release": [f"{STORE}:release"],
    "pin": [f"{STORE}:pin"],
    "free": [f"{STORE}:free"],
    "view": [f"{STORE}:read_images"],
    "look": ["reservations/holds/looks.py:look"],
    "reap": [f"{STORE}:reap"],
    "drop": [f"{STORE}:drop_image"],
    "refresh_begin": [f"{STORE}:refresh_begin", f"{STORE}:settle"],
    "refresh_end": [f"{STORE}:refresh_end"],
    "forget_facts": ["analytics/shipping/hold_facts.py:forget"],
    "forget_requests": ["analytics/shipping/requests.py:forget"],
    "hold": [f"{STORE}:lock"],
    "clock": [f"{STORE}:lock"],
}


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """Tests to run, one group after the other, until one fails; seconds a group should take."""

    groups: tuple[tuple[str, ...], ...]
    seconds: tuple[float, ...]


class Chooser:
    """Chooses from a map as `nursery` writes it: lines of files, seconds of tests, failures."""

    def __init__(self, found: dict[str, Any]) -> None:
        self._lines: dict[str, dict[str, list[str]]] = found["lines"]
        self._seconds: dict[str, float] = found["seconds"]
        self._unsound = frozenset(found["failed"])

    def choose(self, mutant: Mutant) -> Chosen:
        """What to run against this mutant."""
        killers = mutant.killers
        able = self._able(mutant) - set(killers) - self._unsound
        ordered = sorted(able, key=lambda test: self._seconds[test])
        quick = tuple(test for test in ordered if self._seconds[test] <= SLOW_SECONDS)
        slow = tuple(test for test in ordered if self._seconds[test] > SLOW_SECONDS)
        # Alone, each: pytest-django runs what needs no database last.
        groups = [killers, *((each,) for each in likely(mutant.file))]
        groups += [quick[:MOST], slow[:MOST_SLOW]]
        if not is_explained(mutant):
            # Of planted ones none may live unseen, however long it takes.
            most = math.inf if mutant.kind == "planted" else MORE_SECONDS
            groups.append(self._within(most, [*quick[MOST:], *slow[MOST_SLOW:]]))
        kept = [group for group in groups if group]
        return Chosen(
            groups=tuple(kept),
            seconds=tuple(sum(self._seconds.get(test, 10.0) for test in each) for each in kept),
        )

    def _within(self, seconds: float, tests: Sequence[str]) -> tuple[str, ...]:
        """As many of these as take so long together."""
        sums = accumulate(self._seconds[test] for test in tests)
        return tuple(test for test, until in zip(tests, sums, strict=True) if until <= seconds)

    def _able(self, mutant: Mutant) -> set[str]:
        places = list(mutant.near)
        if mutant.file.endswith(".lua"):
            places += [] if places else RUN_BY[Path(mutant.file).stem]
        else:
            found = self._running(mutant.file, mutant.lines)
            if found or not places:
                return found or self._running(mutant.file, None)
        return {test for place in places for test in self._near(place)}

    def _near(self, place: str) -> set[str]:
        """Tests that run a function, given as `path/of/module.py:function`."""
        file, name = place.split(":")
        lines = function_lines((PRODUCT / file).read_text(), name)
        return self._running(file, lines)

    def _running(self, file: str, numbers: Iterable[int] | None) -> set[str]:
        lines = self._lines.get(file, {})
        wanted = lines if numbers is None else map(str, numbers)
        return {_test_of(context) for number in wanted for context in lines.get(number, ())}


def likely(file: str) -> list[str]:
    """Tests that are known to look at this file: those of the longest path that begins it."""
    found = tomllib.loads(LIKELY.read_text())["tests"]
    paths = sorted((path for path in found if file.startswith(path)), key=len)
    tests = found[paths[-1]] if paths else []
    return [f"tests/{each}" for each in tests if (PRODUCT / "tests" / each).exists()]


def function_lines(text: str, name: str) -> Sequence[int]:
    """The lines of a function's body. Raises `LookupError` if there is no such function."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return range(node.body[0].lineno, (node.end_lineno or node.lineno) + 1)
    raise LookupError(f"there is no function {name}")


def _test_of(context: str) -> str:
    return context.split("|", 1)[0]


def read_map(path: Path) -> Chooser:
    """The chooser of a map that was written."""
    return Chooser(json.loads(path.read_text()))

"""What came of each mutant; written as it comes, so that a run can be taken up again."""

import json
import threading
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from tests.mutants.mutant import Mutant

CAUGHT: Final = "caught"
SURVIVED: Final = "survived"

# The first part of a test's path that is in here names its suite.
SUITES: Final = {
    "tests/reservations/test_against_a_model.py": "model",
    "tests/reservations": "reservations",
    "tests/promises": "promises",
    "tests/race": "race",
    "tests/simulator": "sim",
    "tests/scripts": "scripts",
    "tests/surviving": "surviving",
    "tests/http": "http",
    "tests/analytics": "analytics",
    "tests/availability": "availability",
    "tests/front": "front",
    "tests/history": "history",
    "tests/waitlist": "waitlist",
}


@dataclass(frozen=True, kw_only=True)
class Result:
    """`seconds` from the mutant's first test run to the failure; `test` is empty for survivors."""

    id: str
    kind: str
    file: str
    line: int
    breaks: str
    key: str
    outcome: str
    suite: str = ""
    test: str = ""
    why: str = ""
    seconds: float = 0.0


def suite_of(test: str) -> str:
    """The suite a test belongs to."""
    for path, suite in SUITES.items():
        if test.startswith(path):
            return suite
    parts = test.split("/")
    return parts[1] if len(parts) > 1 else "import"


class Results:
    """A file of results, one JSON line each; the last line of an id counts."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self.found: dict[str, Result] = {}
        if path.exists():
            for line in path.read_text().splitlines():
                result = Result(**json.loads(line))
                self.found[result.id] = result

    def of(self, mutant: Mutant) -> Result | None:
        """What came of this change as it is now, be it met under another name: a generic mutant
        may be a planted bug in the same words.
        """
        found = self.found.get(mutant.id)
        if found and found.key == mutant.key:
            return found
        same = (each for each in self.found.values() if each.key == mutant.key)
        met = next(same, None)
        if met is None:
            return None
        return replace(met, id=mutant.id, kind=mutant.kind, breaks=mutant.breaks)

    def killers(self) -> dict[str, str]:
        """By mutant, the test that caught it last."""
        return {name: each.test for name, each in self.found.items() if "::" in each.test}

    def add(self, result: Result) -> None:
        with self._lock:
            self.found[result.id] = result
            with self._path.open("a") as file:
                file.write(json.dumps(asdict(result), ensure_ascii=False) + "\n")

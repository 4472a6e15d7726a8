"""The planted bugs: listed in `planted/*.toml` before any run.

[[bug]]
id = "lock-fence-stands"
file = "reservations/holds/lua/lock.lua"
breaks = "Rule 10: the fence grows with every hold"
old = 'exact text, once in the file'
new = 'what stands there instead'
near = ["lock"]        # optional: functions whose tests can notice it
gravest = true         # optional: one of the short run's sample
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tests.mutants.mutant import PRODUCT, Mutant

LISTS: Final = Path(__file__).parent / "planted"


class DoesNotApply(Exception):
    """The text to change is not there exactly once; the bug must be listed anew."""


def planted_bugs(tree: Path = PRODUCT) -> list[Mutant]:
    """Every planted bug, applied in memory. Raises `DoesNotApply`."""
    return [planted(tree, bug) for bug in listed()]


def listed() -> Iterator[dict[str, Any]]:
    """The bugs as they are written down."""
    for path in sorted(LISTS.glob("*.toml")):
        yield from tomllib.loads(path.read_text())["bug"]


def planted(tree: Path, bug: dict[str, Any]) -> Mutant:
    before = (tree / bug["file"]).read_text()
    times = before.count(bug["old"])
    if times != 1:
        raise DoesNotApply(f"{bug['id']}: {times} times in {bug['file']}: {bug['old']!r}")
    return Mutant(
        id=bug["id"],
        kind="planted",
        file=bug["file"],
        breaks=bug["breaks"],
        before=before,
        after=before.replace(bug["old"], bug["new"]),
        near=tuple(bug.get("near", ())),
    )


def gravest() -> frozenset[str]:
    """The bugs of the short run."""
    return frozenset(bug["id"] for bug in listed() if bug.get("gravest"))

"""The short run: the gravest bugs alone, each met first by the test that is known to catch it."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.mutants.choosing import Chosen, likely
from tests.mutants.copies import copy_tree
from tests.mutants.mutant import Mutant
from tests.mutants.proof import meet, say
from tests.mutants.results import SURVIVED
from tests.mutants.slot import Slot

POOL: Final = ("tests/promises", "tests/reservations", "tests/scripts", "tests/analytics")
KILLER_SECONDS: Final = 15.0
POOL_SECONDS: Final = 60.0


def prove_sample(bugs: Sequence[Mutant], *, folder: Path) -> int:
    """0 if each was caught. The same tests, without a bug, must pass first."""
    started = time.monotonic()
    slot = Slot(number=0, folder=folder / "sample")
    slot.folder.mkdir()
    copy_tree(slot.tree)
    try:
        slot.start()
        slot.warm_up(POOL)
        killers = sorted({killer for bug in bugs for killer in bug.killers})
        sound = slot.pytest(killers, seconds=POOL_SECONDS) if killers else None
        if sound is not None and not sound.passed:
            say(f"without any bug, this fails: {sound.test} {sound.why}")
            return 1
        results = [meet(slot, bug, _chosen(bug)) for bug in bugs]
    finally:
        slot.close()
    for result in results:
        sys.stdout.write(f"{result.outcome:8} {result.id}: {result.breaks}\n")
    survived = [result for result in results if result.outcome == SURVIVED]
    seconds = time.monotonic() - started
    say(f"{len(results) - len(survived)} of {len(results)} planted bugs caught in {seconds:.0f} s")
    return 1 if survived else 0


def _chosen(bug: Mutant) -> Chosen:
    groups = [bug.killers, *((each,) for each in likely(bug.file))]
    kept = tuple(group for group in groups if group)
    return Chosen(groups=kept, seconds=(KILLER_SECONDS,) * len(kept))

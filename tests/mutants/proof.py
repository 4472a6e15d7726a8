"""The run: every mutant through the suites, two at a time, until one catches it."""

import json
import queue
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from tests.mutants.choosing import POOL, Chooser, Chosen, read_map
from tests.mutants.copies import applied, copy_tree
from tests.mutants.mutant import PRODUCT, Mutant
from tests.mutants.results import CAUGHT, SURVIVED, Result, Results, suite_of
from tests.mutants.slot import OPTIONS, Ended, Slot

MAP_SECONDS: Final = 1800.0
LEAST_SECONDS: Final = 90.0
PATIENCE: Final = 8.0  # times as long as without coverage on a quiet machine
TEST_SECONDS: Final = 60


def say(text: str) -> None:
    sys.stderr.write(f"mutants: {text}\n")
    sys.stderr.flush()


def prove(
    mutants: Sequence[Mutant], results: Results, chooser: Chooser, *, folder: Path, slots: int
) -> list[str]:
    """Meet every mutant; results are written as they come. Returns tests that are not sound: they
    caught something, and fail without any mutant too.
    """
    waiting: queue.SimpleQueue[Mutant] = queue.SimpleQueue()
    for mutant in mutants:
        waiting.put(mutant)
    wrong: list[BaseException] = []
    unsound: list[str] = []

    def work(number: int) -> None:
        slot = Slot(number=number, folder=folder / f"slot{number}")
        slot.folder.mkdir()
        copy_tree(slot.tree)
        try:
            slot.start()
            slot.warm_up(_pool())
            _work(slot, waiting, chooser, results)
            if number == 0:
                unsound.extend(_control(slot, mutants, results))
        except BaseException as failed:  # noqa: BLE001  # raised again by the main thread
            wrong.append(failed)
        finally:
            slot.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(slots)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise wrong[0]
    return unsound


def _work(
    slot: Slot, waiting: "queue.SimpleQueue[Mutant]", chooser: Chooser, results: Results
) -> None:
    while True:
        try:
            mutant = waiting.get_nowait()
        except queue.Empty:
            return
        result = meet(slot, mutant, chooser.choose(mutant))
        results.add(result)
        say(
            f"{result.outcome} {result.seconds:6.1f} s  {mutant.id}  {result.test or result.breaks}"
            f"  ({waiting.qsize()} left)"
        )


def meet(slot: Slot, mutant: Mutant, chosen: Chosen) -> Result:
    """One mutant, group after group of tests, until one fails."""
    seconds = 0.0
    result = Result(
        id=mutant.id,
        kind=mutant.kind,
        file=mutant.file,
        line=min(mutant.lines),
        breaks=mutant.breaks,
        key=mutant.key,
        outcome=SURVIVED,
    )
    with applied(mutant, slot.tree):
        for tests, usual in zip(chosen.groups, chosen.seconds, strict=True):
            ended = slot.pytest(
                tests,
                seconds=max(LEAST_SECONDS, PATIENCE * usual),
                new_database=mutant.needs_new_database,
                options=(*OPTIONS, "-o", f"timeout={TEST_SECONDS}"),
            )
            seconds += ended.seconds
            if _may_be_the_machine(ended):
                again = slot.pytest([ended.test], seconds=LEAST_SECONDS)
                seconds += again.seconds
                if again.passed:
                    continue
            if not ended.passed:
                test = ended.test or ("(the run did not end)" if not ended.in_time else "")
                return replace(
                    result,
                    outcome=CAUGHT,
                    suite=suite_of(test or "import"),
                    test=test,
                    why=ended.why,
                    seconds=round(seconds, 1),
                )
    return replace(result, seconds=round(seconds, 1))


def _pool() -> list[str]:
    return [suite for suite in POOL if (PRODUCT / suite).exists()]


def _may_be_the_machine(ended: Ended) -> bool:
    """A store that answered too slowly on a busy machine is no catch; ask again."""
    slow = ("503", "unavailable", "Timeout", "HoldsStoreAway", "within")
    return not ended.passed and "::" in ended.test and any(word in ended.why for word in slow)


def draw_map(path: Path, *, folder: Path) -> Chooser:
    """One run of the quick suites on an unchanged copy, under coverage; kept in `path`."""
    slot = Slot(number=9, folder=folder / "map")
    slot.folder.mkdir()
    copy_tree(slot.tree)
    pool = _pool()
    say(f"which tests run what: {' '.join(pool)}")
    try:
        slot.start()
        slot.pytest(
            pool,
            seconds=MAP_SECONDS,
            cover=path,
            options=[each for each in OPTIONS if each != "-x"],
        )
    finally:
        slot.close()
    found = json.loads(path.read_text())
    for test in found["failed"]:
        say(f"left out, it fails without a mutant: {test}")
    return read_map(path)


def _control(slot: Slot, mutants: Sequence[Mutant], results: Results) -> list[str]:
    """The tests that caught something, on the unchanged copy: those that fail there too."""
    met = [results.found[mutant.id] for mutant in mutants if mutant.id in results.found]
    tests = sorted({result.test for result in met if "::" in result.test})
    unsound = []
    while tests:
        ended = slot.pytest(tests, seconds=MAP_SECONDS)
        if ended.passed:
            break
        if ended.test not in tests:
            raise RuntimeError(f"the control run ended at {ended.test!r}: {ended.why}")
        unsound.append(ended.test)
        tests.remove(ended.test)
    say(f"control: {len(tests)} tests that caught something pass without a mutant")
    return unsound

"""Many seeds on all cores: a database a process, one report of all."""

import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from typing import Any, Final

# A run counts only if every kind of fault happened; fewer seeds may miss one.
SEEDS_FOR_ALL_FAULTS: Final = 100
_kept: dict[str, Any] = {}


def run(seeds: range, *, jobs: int, tail: int, is_replay: bool) -> int:
    """Run these seeds, print what happened; 0 if no promise was broken."""
    with ExitStack() as stack:
        names = _databases(jobs, stack)
        began = time.monotonic()
        places = get_context("spawn").SimpleQueue()
        for name in names:
            places.put(name)
        pool = stack.enter_context(
            ProcessPoolExecutor(
                jobs, mp_context=get_context("spawn"), initializer=_begin, initargs=(places,)
            )
        )
        steps, faults, answers, broken = 0, Counter[str](), Counter[str](), 0
        for report in pool.map(_simulate, seeds, chunksize=4):
            steps += report.steps
            faults += report.faults
            answers += report.answers
            if is_replay or (report.broken and not broken):
                _show(report, tail)
            broken += report.broken is not None
        seconds = time.monotonic() - began
    _summary("answers", answers)
    _summary("faults", faults)
    _say(
        f"simulator: seeds {seeds.start} to {seeds.stop - 1}, {steps:,} steps,"
        f" {answers.total():,} requests, {faults.total():,} faults,"
        f" {broken} broken, {seconds:.0f} s"
    )
    missing = _missing(faults) if len(seeds) >= SEEDS_FOR_ALL_FAULTS else []
    for kind in missing:
        _say(f"simulator: this fault never happened: {kind}")
    return 1 if broken or missing else 0


def _databases(jobs: int, stack: ExitStack) -> list[str]:
    """A database a process, migrated once and copied."""
    _set_up_django()
    from django.db import connections  # after Django is set up

    creation = connections["default"].creation
    stack.callback(creation.destroy_test_db, connections["default"].settings_dict["NAME"], 0)
    creation.create_test_db(verbosity=0, autoclobber=True)
    base = connections["default"].settings_dict["NAME"]
    names = []
    for job in range(1, jobs + 1):
        creation.clone_test_db(suffix=str(job), verbosity=0, keepdb=False)
        names.append(f"{base}_{job}")
        stack.callback(creation.destroy_test_db, suffix=str(job), verbosity=0)
    connections.close_all()
    return names


def _begin(places: Any) -> None:
    """In each process: its database and its world."""
    _set_up_django()
    from django.db import connections  # after Django is set up

    from tests.simulator.simulation import stage

    connections["default"].settings_dict["NAME"] = places.get()
    stack = ExitStack()
    _kept["stage"] = stack.enter_context(stage())


def _simulate(seed: int) -> Any:
    from tests.simulator.simulation import simulate  # Django is set up

    report = simulate(seed, _kept["stage"])
    if not report.broken and len(report.trace) > 0:
        report.trace = report.trace[-200:]
    return report


def _set_up_django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django  # the settings are named first

    django.setup()


def _show(report: Any, tail: int) -> None:
    _say("\n".join(report.trace[-tail:]))
    said = f"BROKEN {report.broken}" if report.broken else "kept every promise"
    _say(f"simulator: seed {report.seed}, {report.steps} steps: {said}")
    _say(f"simulator: make sim SEED={report.seed} replays it")


def _summary(what: str, counts: Counter[str]) -> None:
    _say(f"simulator: {what}")
    for name, count in sorted(counts.items()):
        _say(f"  {count:7,}  {name}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _missing(faults: Counter[str]) -> list[str]:
    from tests.simulator.faults import all_kinds  # needs no Django

    return [kind for kind in all_kinds() if not faults[kind]]

"""The same seed is the same run, step for step; and short runs keep every promise."""

from collections import Counter

import pytest

from tests.simulator.faults import MEMORY_LOST, Event
from tests.simulator.simulation import Stage, simulate

SEEDS = range(6)


def test_a_seed_replays_to_the_byte(simulated: Stage) -> None:
    first = {seed: simulate(seed, simulated) for seed in SEEDS}
    for seed in reversed(SEEDS):
        again = simulate(seed, simulated)
        assert again.trace == first[seed].trace, seed
        assert again.digest == first[seed].digest
        assert first[seed].broken is None, (seed, first[seed].broken)
    assert len({report.digest for report in first.values()}) == len(SEEDS)


def test_short_runs_meet_faults_and_do_work(simulated: Stage) -> None:
    faults, answers = Counter[str](), Counter[str]()
    for seed in range(20, 30):
        report = simulate(seed, simulated)
        assert report.broken is None, (seed, report.broken)
        faults += report.faults
        answers += report.answers
    assert sum(faults[each] for each in MEMORY_LOST) > 0
    assert faults[Event.REQUEST_TWICE] > 0
    assert answers["lock 201"] > 10, answers
    assert answers["confirm 201"] > 5, answers
    assert answers["confirm 410"] > 0, answers


@pytest.mark.parametrize("seed", [1])
def test_another_seed_is_another_run(simulated: Stage, seed: int) -> None:
    assert simulate(seed, simulated).digest != simulate(seed + 1, simulated).digest

"""What came of a mutant is found again, and believed only of the same change."""

from dataclasses import replace
from pathlib import Path

from tests.mutants.mutant import Mutant
from tests.mutants.planted import planted_bugs
from tests.mutants.results import CAUGHT, Result, Results


def caught(mutant: Mutant) -> Result:
    return Result(
        id=mutant.id, kind=mutant.kind, file=mutant.file, line=1, breaks=mutant.breaks,
        key=mutant.key, outcome=CAUGHT, suite="http", test="tests/http/test_a.py::test_b",
    )  # fmt: skip


def test_a_result_is_of_the_change_it_was_met_with(tmp_path: Path) -> None:
    first, second, *_ = planted_bugs()
    Results(tmp_path / "kept").add(caught(first))
    found = Results(tmp_path / "kept")
    assert found.of(first) == caught(first)
    assert found.of(second) is None
    assert found.of(replace(first, after=second.after)) is None
    assert found.killers() == {first.id: "tests/http/test_a.py::test_b"}


def test_the_same_change_under_another_name_was_met_too(tmp_path: Path) -> None:
    bug = planted_bugs()[0]
    results = Results(tmp_path / "kept")
    results.add(caught(bug))
    twin = replace(bug, id="lock:RemoveStatement:1", kind="generic", breaks="return → pass")
    assert results.of(twin) == replace(
        caught(bug), id="lock:RemoveStatement:1", kind="generic", breaks="return → pass"
    )

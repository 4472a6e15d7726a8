"""The list of planted bugs keeps up with the code it changes."""

import ast
from collections import Counter
from pathlib import Path

from tests.mutants.copies import applied
from tests.mutants.guards import bare_guards, guard_lines, scripts, unguarded
from tests.mutants.mutant import PRODUCT, Mutant, changed_lines
from tests.mutants.planted import gravest, listed, planted_bugs


def test_every_planted_bug_applies_exactly_once_and_changes_the_file() -> None:
    """`planted_bugs` raises for a text that is not there once."""
    bugs = planted_bugs()
    assert len(bugs) >= 350
    assert [bug.id for bug in bugs if bug.before == bug.after] == []
    assert [bug.id for bug in bugs if not bug.breaks] == []


def test_no_two_planted_bugs_are_the_same() -> None:
    bugs = planted_bugs()
    assert [name for name, times in Counter(bug.id for bug in bugs).items() if times > 1] == []
    assert [key for key, times in Counter(bug.key for bug in bugs).items() if times > 1] == []


def test_every_planted_bug_in_python_still_compiles() -> None:
    """Code that cannot be read would be caught by anything."""
    for bug in planted_bugs():
        if bug.file.endswith(".py"):
            ast.parse(bug.after, bug.id)


def test_every_guard_line_of_every_script_has_a_planted_bug_or_a_reason() -> None:
    assert bare_guards(planted_bugs()) == []


def test_every_reason_is_still_asked_for() -> None:
    """A line that went, or that has a bug by now, needs no excuse."""
    wanted = {
        (str(path.relative_to(PRODUCT)), line.strip())
        for path in scripts()
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if number in guard_lines(path.read_text())
    }
    assert set(unguarded()) <= wanted


def test_a_guard_that_loses_its_bug_is_noticed() -> None:
    bugs = [bug for bug in planted_bugs() if bug.id != "zrem-answer-ignored"]
    (bare,) = bare_guards(bugs)
    assert bare.endswith("if redis.call('ZREM', zset, member) ~= 1 then return false end")


def test_the_short_run_has_the_gravest_bugs() -> None:
    assert 12 <= len(gravest()) <= 20
    assert {bug["id"] for bug in listed()} >= gravest()


def test_lines_that_decide_are_guards_and_others_are_not() -> None:
    text = (
        "local a = 1\n"  # 1
        "if a then b() end\n"  # 2
        "-- if this were code\n"  # 3
        "x = math.min(a, 2)\n"  # 4
        "redis.call('ZREM', key, member)\n"  # 5
        "redis.call('HSET', key, 'if', 'and')\n"  # 6
        "return a >= b\n"  # 7
    )
    assert guard_lines(text) == {2, 4, 5, 7}


def test_a_change_is_told_by_the_lines_it_touches() -> None:
    assert changed_lines("a\nb\nc\n", "a\nB\nc\n") == {2}
    assert changed_lines("a\nb\nc\n", "a\nc\n") == {2}
    assert changed_lines("a\nb\n", "a\nx\nb\n") == {1}


def test_a_mutant_is_applied_to_a_copy_and_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "file.py"
    path.write_text("a = 1\n")
    before = path.stat().st_mtime_ns
    mutant = Mutant(
        id="m", kind="planted", file="file.py", breaks="", before="a = 1\n", after="a = 2\n"
    )
    with applied(mutant, tmp_path):
        assert path.read_text() == "a = 2\n"
        assert path.stat().st_mtime_ns != before, "Python would take the compiled file for current"
    assert path.read_text() == "a = 1\n"
    assert path.stat().st_mtime_ns == before

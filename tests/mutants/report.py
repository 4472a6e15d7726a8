"""What the run says: a table on the terminal, docs/MUTANTS.md for people."""

import subprocess
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tests.mutants.mutant import PRODUCT, Mutant
from tests.mutants.results import CAUGHT, SURVIVED, Result

PAGE: Final = PRODUCT / "docs" / "MUTANTS.md"
EXPLAINED: Final = Path(__file__).with_name("survivors.toml")

NOT_MET: Final = "not met yet"
HEAD: Final = """# What was planted, and what caught it

Written by `make mutants`; do not edit. Each row is one bug, planted alone into a copy of the tree;
the tests that run the changed lines met it, soonest first, until one failed. `s` is from the first
of these tests to the failure, stores up and libraries loaded. How it works:
[why mutants are met in forks](adr/mutants-are-met-in-forks.md); the bugs as text:
`tests/mutants/planted/`.
"""


def not_met(mutant: Mutant) -> Result:
    """The row of a mutant that this run has not come to."""
    return Result(
        id=mutant.id, kind=mutant.kind, file=mutant.file, line=min(mutant.lines),
        breaks=mutant.breaks, key=mutant.key, outcome=NOT_MET,
    )  # fmt: skip


def explanations() -> dict[tuple[str, str], str]:
    """Why a mutant may survive, by file and change (generic) or id (planted)."""
    listed = tomllib.loads(EXPLAINED.read_text())["survivor"]
    return {(each["file"], each["change"]): each["why"] for each in listed}


def is_explained(mutant: Mutant) -> bool:
    """Has somebody said why it may survive?"""
    return any((mutant.file, name) in explanations() for name in (mutant.breaks, mutant.id))


def explanation(result: Result) -> str:
    """Why this one may survive; "" if nobody has said so."""
    known = explanations()
    return known.get((result.file, result.breaks)) or known.get((result.file, result.id), "")


def survivors(results: Iterable[Result]) -> list[Result]:
    """Those that nothing caught and nobody explained."""
    return [each for each in results if each.outcome == SURVIVED and not explanation(each)]


def summary(results: Sequence[Result]) -> str:
    """The table `make mutants` prints."""
    lines = [
        f"{each.outcome:11} {each.seconds:6.1f} s  {each.suite or '-':12} {each.id}"
        for each in results
        if each.kind == "planted" or each.outcome == SURVIVED
    ]
    lines += [
        _counts(kind, [each for each in results if each.kind == kind])
        for kind in ("planted", "generic")
    ]
    lines += [f"SURVIVED  {each.id}: {each.breaks}" for each in survivors(results)]
    return "\n".join(lines) + "\n"


def _counts(kind: str, results: Sequence[Result]) -> str:
    caught = [each for each in results if each.outcome == CAUGHT]
    explained = [each for each in results if each.outcome == SURVIVED and explanation(each)]
    unmet = sum(each.outcome == NOT_MET for each in results)
    left = len(results) - len(caught) - len(explained) - unmet
    suites = Counter(each.suite for each in caught).most_common()
    by = ", ".join(f"{suite} {number}" for suite, number in suites)
    return (
        f"{kind}: {len(results)} mutants, {len(caught)} caught ({by}), "
        f"{len(explained)} survived and explained, {left} survived"
        f"{f', {unmet} {NOT_MET}' if unmet else ''}"
    )


def write_report(results: Sequence[Result]) -> None:
    """The page in docs."""
    planted = [each for each in results if each.kind == "planted"]
    generic = [each for each in results if each.kind == "generic"]
    parts = [HEAD, _when(), _counts("planted", planted) + ".  ", _counts("generic", generic) + "."]
    parts += ["\n## Planted bugs\n", *_planted_tables(planted)]
    parts += ["\n## Generic mutants of services and holds\n", *_generic_table(generic)]
    parts += ["\n## Survivors, explained\n", *_survivors(results)]
    PAGE.write_text("\n".join(parts) + "\n")


def _when() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=PRODUCT, capture_output=True, check=False
    )
    moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"Run of {moment}, on commit {done.stdout.decode().strip() or 'unknown'}.\n"


def _planted_tables(results: Sequence[Result]) -> Iterable[str]:
    for file in dict.fromkeys(each.file for each in results):
        yield f"\n### `{file}`\n\n| bug | breaks | caught by | s |\n|---|---|---|---|"
        for each in results:
            if each.file == file:
                by = f"{each.suite}: `{_short(each.test)}`" if each.test else f"**{each.outcome}**"
                yield f"| {each.id} | {_cell(each.breaks)} | {by} | {each.seconds} |"


def _generic_table(results: Sequence[Result]) -> Iterable[str]:
    yield "| file | mutants | caught | by | explained | survived |\n|---|---|---|---|---|---|"
    for file in sorted({each.file for each in results}):
        of_file = [each for each in results if each.file == file]
        caught = [each for each in of_file if each.outcome == CAUGHT]
        explained = sum(each.outcome == SURVIVED and bool(explanation(each)) for each in of_file)
        suites = Counter(each.suite for each in caught).most_common()
        by = ", ".join(f"{suite} {number}" for suite, number in suites)
        left = sum(each.outcome == SURVIVED for each in of_file) - explained
        yield f"| `{file}` | {len(of_file)} | {len(caught)} | {by} | {explained} | {left} |"


def _survivors(results: Sequence[Result]) -> Iterable[str]:
    yield "| mutant | change | why no test can or need see it |\n|---|---|---|"
    for each in results:
        if each.outcome == SURVIVED:
            why = explanation(each) or "**not explained yet**"
            yield f"| `{each.file}:{each.line}` | {_cell(each.breaks)} | {_cell(why)} |"


def _short(test: str) -> str:
    return test.split("::", 1)[-1] if "::" in test else test


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")

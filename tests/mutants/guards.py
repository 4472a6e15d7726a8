"""Guard lines of Lua scripts, found by rule: each must have a planted bug, or a written reason.

A line of code (comments taken off) is a guard line if it

    decides     `if`, `elseif`, `and`, `or`, `not`, a comparison, `break`
    bounds      `math.min`, `math.max`, `for … = …`, `LIMIT`
    writes on a condition, or takes something out of an index: NX, XX, GT, LT, ZREM, XDEL, DEL
    does a bit's work: `bit.…`, `set_bits`, `clear_bits`, `unhold`

A bug covers the lines it changes. `planted/unguarded.toml` has the lines that need none, and why.
"""

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tests.mutants.mutant import PRODUCT, Mutant
from tests.mutants.planted import LISTS

_GUARD: Final = re.compile(
    r"\b(if|elseif|and|or|not|break)\b|[=~<>]=|[<>]"
    r"|math\.(min|max)\b|\bfor \w+ =|'LIMIT'"
    r"|'(NX|XX|GT|LT)'|'(ZREM|XDEL|DEL)'"
    r"|\bbit\.|\b(set_bits|clear_bits|unhold)\("
)
_STRING: Final = re.compile(r"'(?!(?:NX|XX|GT|LT|ZREM|XDEL|DEL|LIMIT)')[^']*'")


def scripts(tree: Path = PRODUCT) -> list[Path]:
    """Every Lua file of the product."""
    folders = ("reservations", "analytics", "config")
    return sorted(path for folder in folders for path in (tree / folder).rglob("*.lua"))


def guard_lines(text: str) -> frozenset[int]:
    """Numbers, from 1, of the lines that are guards by the rule above."""
    found = set()
    for number, line in enumerate(text.splitlines(), start=1):
        code = _STRING.sub("''", line.split("--")[0])
        if _GUARD.search(code) and not code.startswith("local function"):
            found.add(number)
    return frozenset(found)


def unguarded() -> dict[tuple[str, str], str]:
    """Reasons why a line needs no bug, by file and the line's text."""
    listed = tomllib.loads((LISTS / "unguarded" / "reasons.toml").read_text())["line"]
    return {(each["file"], each["text"].strip()): each["why"] for each in listed}


def bare_guards(bugs: Iterable[Mutant], tree: Path = PRODUCT) -> list[str]:
    """Guard lines that no bug changes and no reason excuses."""
    covered: dict[str, set[int]] = {}
    for bug in bugs:
        covered.setdefault(bug.file, set()).update(bug.lines)
    reasons = unguarded()
    found = []
    for path in scripts(tree):
        name = str(path.relative_to(tree))
        lines = path.read_text().splitlines()
        found += [
            f"{name}:{number}: {lines[number - 1].strip()}"
            for number in sorted(guard_lines(path.read_text()) - covered.get(name, set()))
            if (name, lines[number - 1].strip()) not in reasons
        ]
    return found

"""A mutant: one file of the tree, changed in one place."""

import difflib
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PRODUCT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """`before` and `after` are the whole text of `file` (relative to the tree).

    `breaks`: the rule or promise in a sentence (planted), or the change (generic). `near`: names of
    functions whose tests can notice it, where the changed lines do not say so. `killers`: tests to
    begin with.
    """

    id: str
    kind: str
    file: str
    breaks: str
    before: str
    after: str
    near: tuple[str, ...] = ()
    killers: tuple[str, ...] = ()

    @property
    def lines(self) -> frozenset[int]:
        """Numbers of the lines of `before` that are changed or gone, or beside what is new."""
        return changed_lines(self.before, self.after)

    @property
    def key(self) -> str:
        """Another one if the mutated file is another: a result stands for this text only."""
        return hashlib.sha256(f"{self.file}\0{self.after}".encode()).hexdigest()[:16]

    @property
    def needs_new_database(self) -> bool:
        return "/migrations/" in self.file


def changed_lines(before: str, after: str) -> frozenset[int]:
    """Numbers, from 1, of the lines of `before` that `after` does not have in their place.

    Of a pure insertion, the line it stands behind.
    """
    matcher = difflib.SequenceMatcher(None, before.splitlines(), after.splitlines(), autojunk=False)
    found: set[int] = set()
    for what, start, end, _, _ in matcher.get_opcodes():
        if what in {"replace", "delete"}:
            found |= set(range(start + 1, end + 1))
        elif what == "insert":
            found.add(max(start, 1))
    return frozenset(found)

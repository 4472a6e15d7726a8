"""Copies of the tree. A mutant is applied to a copy, never to the checkout."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.mutants.mutant import PRODUCT, Mutant

LATER_SECONDS = 100_000


def copy_tree(to: Path) -> None:
    """Every file of the checkout that git does not ignore."""
    done = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=PRODUCT,
        capture_output=True,
        check=True,
    )
    for name in done.stdout.decode().split("\0"):
        if name and (PRODUCT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PRODUCT / name, to / name)


@contextmanager
def applied(mutant: Mutant, tree: Path) -> Iterator[None]:
    """The copy has this one bug, until the end of the block.

    Python keeps compiled files by time and size of their source, to the second: so the mutated
    file gets a time of its own, and the old one comes back with the old text.
    """
    path = tree / mutant.file
    assert path.read_text() == mutant.before, f"{path} is not what it should be"
    times = path.stat()
    path.write_text(mutant.after)
    later = int(times.st_mtime) + LATER_SECONDS
    os.utime(path, (later, later))
    try:
        yield
    finally:
        path.write_text(mutant.before)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

"""One place to run mutants in: a copy of the tree, and stores that nobody else uses."""

import re
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Client, Connection
from pathlib import Path
from typing import Any, Final

from tests.mutants.mutant import PRODUCT

START_SECONDS: Final = 120.0
NURSERY: Final = Path(__file__).with_name("nursery.py")
OPTIONS: Final = ("-q", "-x", "-p", "no:cacheprovider", "--no-header", "--tb=short")
NO_SUCH_TEST: Final = frozenset({4, 5})  # pytest's codes: a usage error, nothing collected
NOT_FOUND: Final = re.compile(r"^ERROR: not found: (.+)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a pytest run ended. `test`: the first that failed; `why`: its message."""

    passed: bool
    in_time: bool
    test: str = ""
    why: str = ""
    seconds: float = 0.0


@dataclass(kw_only=True)
class Slot:
    """Start it, run in it, close it. `tree` is its own to change."""

    number: int
    folder: Path
    dirty: bool = True
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)
    _nursery: "Connection[Any, Any] | None" = field(default=None, init=False)

    @property
    def tree(self) -> Path:
        return self.folder / "tree"

    def start(self) -> None:
        """Stores and nursery, ready to take jobs."""
        address = self.folder / "nursery"
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "config.embedded", "--die-with-parent", "with"),
                *("--profile", f"mutants{self.number}", "--"),
                *(sys.executable, str(NURSERY), str(address)),
            ],
            cwd=PRODUCT,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + START_SECONDS
        while not address.exists():
            assert self._process.poll() is None, "the stores did not start"
            assert time.monotonic() < deadline, "the nursery did not start"
            time.sleep(0.05)
        self._nursery = Client(str(address), "AF_UNIX")
        assert self._nursery.recv() == "ready"

    def warm_up(self, suites: Sequence[str]) -> None:
        """Have everything compiled once, so that no run has to do it again."""
        options = ["-q", "--collect-only", "-p", "no:cacheprovider"]
        ended = self.pytest(suites, seconds=START_SECONDS, compiling=True, options=options)
        assert ended.passed, ended.why

    def pytest(
        self,
        tests: Sequence[str],
        *,
        seconds: float,
        cover: Path | None = None,
        new_database: bool = False,
        compiling: bool = False,
        options: Sequence[str] = OPTIONS,
    ) -> Ended:
        """Run these tests in the copy, at most so long; the first failure ends it.

        A run that was cut off leaves its database to nobody: the next one makes a new one.
        """
        assert self._nursery is not None, "start it first"
        fresh = new_database or self.dirty
        self.dirty = True
        self._nursery.send(
            {
                "tree": str(self.tree),
                "arguments": [*options, "--create-db" if fresh else "--reuse-db", *tests],
                "seconds": seconds,
                "log": str(self.folder / "log"),
                "cover": str(cover) if cover else None,
                "compile": compiling,
            }
        )
        said = self._nursery.recv()
        self.dirty = new_database or not said["in_time"] or said["status"] < 0
        if said["status"] in NO_SUCH_TEST and not said["failure"]:
            return self._without_what_is_gone(
                tests,
                seconds=seconds,
                cover=cover,
                new_database=new_database,
                compiling=compiling,
                options=options,
            )
        return Ended(
            passed=said["status"] == 0,
            in_time=said["in_time"],
            test=said["failure"].get("test", ""),
            why=said["failure"].get("why", ""),
            seconds=said["seconds"],
        )

    def _without_what_is_gone(self, tests: Sequence[str], **how: Any) -> Ended:
        """A test that is known from an older run may have another name now."""
        log = (self.folder / "log").read_text()
        gone = {path.rpartition("/tree/")[2] for path in NOT_FOUND.findall(log)}
        left = [test for test in tests if test not in gone and test.partition("[")[0] not in gone]
        if len(left) == len(tests):
            raise RuntimeError(f"pytest did not run: {log[-800:]}")
        return self.pytest(left, **how) if left else Ended(passed=True, in_time=True)

    def close(self) -> None:
        if self._nursery is not None:
            self._nursery.close()
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(30)
            if self._process.poll() is None:
                self._process.terminate()
                self._process.wait(30)

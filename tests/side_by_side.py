"""pytest in several processes, each beside stores of its own: `make test`.

    python -m tests.side_by_side [pytest's arguments]

Tests empty Redis and look at all of a database, so two of them share no server. This process has
stores in its environment (`config.embedded with`), which the first worker takes; here more are
started for the others, and pytest-xdist gives each worker whole files, the longest first: a long
one that begins last would keep one worker busy while the other has nothing to do. As many workers
as processors, up to MOST; `WORKERS=1` for one process and no xdist.

As a plugin (`-p tests.side_by_side`) it is imported in each worker before Django's settings are.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from random import randrange
from tempfile import TemporaryDirectory
from typing import Final

import pytest

MOST: Final = 2
START_SECONDS: Final = 120.0
LONGEST: Final = (
    "tests/reservations/test_against_a_model.py",
    "tests/front/test_description.py",
    "tests/promises/test_p4_survives_kill.py",
    "tests/ops/test_nothing_is_left.py",
    "tests/bench/test_runs.py",
    "tests/promises/test_p5_when_the_server_dies.py",
    "tests/ops/test_beside.py",
    "tests/promises/test_postgres_away.py",
    "tests/trains/gtfs/test_real_feeds.py",
    "tests/browser/test_journeys.py",
    "tests/browser/test_board.py",
    "tests/ops/test_the_whole.py",
    "tests/face/test_served.py",
    "tests/simulator/test_finds_what_was_planted.py",
)
_STORES: Final = "SEATLOCK_STORES_OF_"
_TELL: Final = (
    "import json, os, pathlib, sys; path = pathlib.Path(sys.argv[1]); "
    "path.with_suffix('.part').write_text(json.dumps(dict(os.environ))); "
    "path.with_suffix('.part').rename(path); sys.stdin.read()"
)


def main(arguments: Sequence[str]) -> int:
    workers = int(os.environ.get("WORKERS") or min(MOST, os.cpu_count() or 1))
    if workers == 1:
        return subprocess.call([sys.executable, "-m", "pytest", *arguments])
    with TemporaryDirectory(prefix="seatlock-tests-") as name:
        others = [_start(Path(name), f"gw{number}") for number in range(1, workers)]
        try:
            stores = {_STORES + path.stem: str(_told(path, process)) for path, process in others}
            options = ["-p", "tests.side_by_side", "-n", str(workers), "--dist", "loadfile"]
            options += ["--no-loadscope-reorder"]  # by how long they take, not how many they are
            # One order of sets in all of them, so that they collect the same tests.
            seed = os.environ.get("PYTHONHASHSEED", str(randrange(2**32)))
            return subprocess.call(
                [sys.executable, "-m", "pytest", *options, *arguments],
                env=os.environ | stores | {"PYTHONHASHSEED": seed},
            )
        finally:
            for _, process in others:
                process.communicate()  # its input ends, and with it the stores


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In each worker, as a plugin: the longest files first, all else as it was."""
    rank = {path: number for number, path in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.nodeid.partition("::")[0], len(rank)))


def _start(folder: Path, worker: str) -> "tuple[Path, subprocess.Popen[bytes]]":
    path = folder / f"{worker}.json"
    embedded = [sys.executable, "-m", "config.embedded", "--die-with-parent", "with"]
    tell = ["--profile", f"test-{worker}", "--", sys.executable, "-c", _TELL, str(path)]
    return path, subprocess.Popen([*embedded, *tell], stdin=subprocess.PIPE)


def _told(path: Path, process: "subprocess.Popen[bytes]") -> Path:
    """The file with the URLs, once the stores are there."""
    deadline = time.monotonic() + START_SECONDS
    while not path.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit("the stores of a second worker did not start")
        time.sleep(0.05)
    return path


def _take_stores_of_this_worker() -> None:
    told = os.environ.get(_STORES + os.environ.get("PYTEST_XDIST_WORKER", ""))
    if told:
        urls = json.loads(Path(told).read_text())
        os.environ.update({name: value for name, value in urls.items() if name.endswith("_URL")})


_take_stores_of_this_worker()

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded.places import delete_data
from tests.ops.running import Keeper


@pytest.fixture
def data() -> Iterator[Path]:
    """A data folder that PostgreSQL's account may pass through to, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="seatlock-ops-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "data"
        delete_data(Path(folder) / "data")


@pytest.fixture
def keepers() -> Iterator[list[Keeper]]:
    """Keepers put in here are ended with the test, whatever came of it."""
    kept: list[Keeper] = []
    yield kept
    for keeper in kept:
        if keeper.process.poll() is None:
            keeper.process.send_signal(signal.SIGTERM)
            keeper.end()

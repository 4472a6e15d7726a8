"""An empty Redis with the bench's departure loaded."""

from collections.abc import Iterator

import pytest

from tests.scripts import bench
from tests.scripts.watching import Watcher


@pytest.fixture(autouse=True)
def loaded(empty_redis: None) -> None:
    bench.load()


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    watcher = Watcher()
    yield watcher
    watcher.close()

"""An empty Redis with the bench's departure loaded."""

import pytest

from tests.scripts import bench


@pytest.fixture(autouse=True)
def loaded(empty_redis: None) -> None:
    bench.load()

"""A stage for simulations in the test database."""

from collections.abc import Iterator

import pytest

from tests.simulator.simulation import Stage, stage


@pytest.fixture
def simulated(transactional_db: None) -> Iterator[Stage]:
    with stage() as made:
        yield made

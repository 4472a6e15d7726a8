"""Each test begins with an empty memory of plans: rows of the last test are gone."""

import pytest

from reservations.availability import plans


@pytest.fixture(autouse=True)
def _no_plans_from_another_test() -> None:
    plans.forget_all()

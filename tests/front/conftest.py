from collections.abc import Iterator

import pytest

from tests.front.place import Place, furnish
from tests.web import Web, web_server


@pytest.fixture(scope="package")
def web(django_db_setup: None) -> Iterator[Web]:
    """One server for all tests of this folder; what is behind it is each test's own."""
    with web_server(THROTTLES="off", HOLD_MAX_PER_USER="100") as running:
        yield running


@pytest.fixture
def place(transactional_db: None, web: Web) -> Place:
    return furnish(web.url)

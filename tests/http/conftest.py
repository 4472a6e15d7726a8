"""The door of the API: no accounts needed, the cache's counters are the tests' own."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from config.http import throttles
from tests.users.conftest import free_throttles


@pytest.fixture
def throttles_on(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Rate limits are on, and nobody has called yet."""
    settings.ENV = settings.ENV.model_copy(update={"throttles": "on"})
    monkeypatch.setattr(throttles._outage, "_resting_until", 0.0)
    monkeypatch.setattr(throttles._outage, "_goes_on", False)
    free_throttles()
    yield
    free_throttles()

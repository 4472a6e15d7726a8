"""Each test begins with no throttles, no debts to Redis, and complete marks of ended logins."""

from collections.abc import Iterator
from typing import Any

import pytest
from django_redis import get_redis_connection  # type: ignore[import-untyped]
from pytest_django import Settings

from config.http import throttles
from config.stores import keys
from config.stores.redis import holds_store
from tests.stores import unreachable_store
from users import claims, marks
from users.models import User
from users.services import restore_marks
from users.services.restore_marks import restore_ended_marks

from .api import Api, log_in, new_user


def free_throttles() -> None:
    """Forget who called how often."""
    cache = get_redis_connection("default")
    for scope in throttles.RATES:
        for key in cache.scan_iter(f"seatlock:throttle:{{{scope}}}:*"):
            cache.delete(key)


@pytest.fixture(autouse=True)
def _clean(
    transactional_db: None,  # restoring marks asks PostgreSQL
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[None]:
    settings.ENV = settings.ENV.model_copy(update={"throttles": "off"})
    monkeypatch.setattr(marks, "_owed", set())
    for module in (marks, restore_marks, throttles):
        monkeypatch.setattr(module._outage, "_resting_until", 0.0)
        monkeypatch.setattr(module._outage, "_goes_on", False)
    claims._signed.cache_clear()
    holds_store().delete(keys.marks(0))
    restore_ended_marks()
    yield
    holds_store().delete(keys.marks(0))


@pytest.fixture
def user() -> User:
    return new_user()


@pytest.fixture
def login(user: User) -> dict[str, Any]:
    return log_in(user)


@pytest.fixture
def api(login: dict[str, Any]) -> Api:
    """Signed in as `user`."""
    return Api(login["access"])


@pytest.fixture
def redis_away() -> Iterator[pytest.MonkeyPatch]:
    """The holds' store cannot be reached; `undo()` brings it back."""
    dead = unreachable_store()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(marks, "holds_store", lambda: dead)
        patch.setattr(restore_marks, "holds_store", lambda: dead)
        yield patch

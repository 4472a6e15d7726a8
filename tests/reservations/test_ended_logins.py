"""A login that ended holds no more seats, also right after Redis lost its memory."""

from collections.abc import Callable
from typing import Any

import pytest

from config.stores.redis import holds_store
from reservations.services import refresh_image
from trains.models import Departure
from users.services.end_logins import end_logins

pytestmark = pytest.mark.django_db(transaction=True)


def lock(traveller: Any, departure: Departure) -> int:
    body = {"departure": departure.pk, "source": "AAA", "destination": "BBB", "seats": ["S1-1"]}
    return int(traveller.post("reservations/lock/", body).status_code)


def test_an_ended_login_locks_nothing_after_a_flush(
    make_traveller: Callable[..., Any], departure: Departure
) -> None:
    traveller = make_traveller()
    end_logins(user_id=traveller.user.pk, reason="logout")
    assert lock(traveller, departure) == 401
    holds_store().flushall()
    assert lock(traveller, departure) == 401


@pytest.mark.parametrize(
    "path", ["reservations/holds/", "reservations/bookings/", "reservations/bookings/ABCDEFGHJK/"]
)
def test_an_ended_login_sees_nothing(make_traveller: Callable[..., Any], path: str) -> None:
    traveller = make_traveller()
    assert traveller.get(path).status_code in {200, 404}
    end_logins(user_id=traveller.user.pk, reason="logout")
    assert traveller.get(path).status_code == 401


def test_without_looking_for_lost_marks_it_would_lock(
    make_traveller: Callable[..., Any], departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh_image, "ensure_marks", lambda: None)
    traveller = make_traveller()
    end_logins(user_id=traveller.user.pk, reason="logout")
    holds_store().flushall()
    assert lock(traveller, departure) == 201

"""Bookings with tickets."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.engine import Traveller
from trains.models import Departure

Book = Callable[..., dict[str, Any]]
HINDI = "आशा क्षत्रिय"


@pytest.fixture
def book(departure: Departure) -> Book:
    """Lock and confirm seats AAA to CCC for a traveller; the booking's answer."""

    def make(who: Traveller, *seats: str, **confirm: Any) -> dict[str, Any]:
        wish = {"departure": departure.id, "source": "AAA", "destination": "CCC"}
        held = who.post("reservations/lock/", {**wish, "seats": seats or ("S1-1",)})
        assert held.status_code == 201, held.content
        booked = who.post("reservations/confirm/", {"hold": held.json()["hold"], **confirm})
        assert booked.status_code == 201, booked.content
        answer: dict[str, Any] = booked.json()
        return answer

    return make

"""What travellers do in these tests."""

from typing import Any

from tests.engine import Traveller
from tests.reservations.test_hold_seats import wish
from trains.models import Departure


def lock(traveller: Traveller, departure: Departure, *seats: str) -> dict[str, Any]:
    """A hold, as the lock answered."""
    answer = traveller.post("reservations/lock/", wish(departure, *seats))
    assert answer.status_code == 201, answer.content
    hold: dict[str, Any] = answer.json()
    return hold


def confirm(traveller: Traveller, hold: dict[str, Any], **others: Any) -> Any:
    """Confirm with the capability the hold came with."""
    body = {"hold": hold["hold"], "capability": hold["capability"], **others}
    return traveller.post("reservations/confirm/", body)


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


EXPIRED = (410, "hold-expired")
AWAY = (503, "unavailable")
ALREADY_BOOKED = (409, "seat-already-booked")

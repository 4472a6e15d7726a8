"""What travellers do over HTTP, as far as staff see it."""

from typing import Any

from analytics.shipping.shipper import ship_pending
from config.http.request_log import STREAM
from tests.engine import Traveller
from tests.reservations.test_hold_seats import wish
from trains.models import Departure


def lock(traveller: Traveller, departure: Departure, *seats: str) -> str:
    answer = traveller.post("reservations/lock/", wish(departure, *seats))
    assert answer.status_code == 201, answer.content
    hold: str = answer.json()["hold"]
    return hold


def book(traveller: Traveller, departure: Departure, *seats: str) -> dict[str, Any]:
    answer = traveller.post("reservations/confirm/", {"hold": lock(traveller, departure, *seats)})
    assert answer.status_code == 201, answer.content
    booking: dict[str, Any] = answer.json()
    return booking


def ship() -> None:
    STREAM.flush()
    ship_pending(budget_seconds=60)

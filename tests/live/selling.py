"""What travellers do while others watch."""

from typing import Any

from tests.engine import Traveller
from trains.models import Departure


def lock(who: Traveller, departure: Departure, *seats: str, to: str = "EEE") -> dict[str, Any]:
    """Hold these seats from AAA on."""
    stretch = {"departure": departure.id, "source": "AAA", "destination": to}
    answer = who.post("reservations/lock/", {**stretch, "seats": seats})
    assert answer.status_code == 201, answer.content
    held: dict[str, Any] = answer.json()
    return held


def confirm(who: Traveller, held: dict[str, Any]) -> dict[str, Any]:
    answer = who.post("reservations/confirm/", {"hold": held["hold"]})
    assert answer.status_code == 201, answer.content
    booked: dict[str, Any] = answer.json()
    return booked


def release(who: Traveller, held: dict[str, Any]) -> None:
    assert who.delete(f"reservations/holds/{held['hold']}/").status_code == 204

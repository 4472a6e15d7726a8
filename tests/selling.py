"""A small sale through the engine's own doors, whole and at rest: to be checked, and broken."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from config.outbox.consumers import consume_pending
from tests.engine import Traveller
from trains.models import Departure

Commits = Callable[..., AbstractContextManager[Any]]


@dataclass(frozen=True)
class Sale:
    """Anna booked S1-1 and S1-2, and S1-5, which she cancelled; Bela holds S1-3, extended once,
    and released S1-4. All on the first two legs.
    """

    departure: Departure
    anna: Traveller
    bela: Traveller
    booked: dict[str, Any]
    cancelled: dict[str, Any]
    hold: dict[str, Any]


def sell(departure: Departure, anna: Traveller, bela: Traveller, commits: Commits) -> Sale:
    """Make the sale. `commits`: pytest-django's `django_capture_on_commit_callbacks`."""

    def lock(who: Traveller, *seats: str) -> dict[str, Any]:
        stretch = {"departure": departure.id, "source": "AAA", "destination": "CCC"}
        answer = who.post("reservations/lock/", {**stretch, "seats": seats})
        assert answer.status_code == 201, answer.content
        held: dict[str, Any] = answer.json()
        return held

    def confirm(held: dict[str, Any], key: str) -> dict[str, Any]:
        answer = anna.post(
            "reservations/confirm/", {"hold": held["hold"]}, **{"Idempotency-Key": key}
        )
        assert answer.status_code == 201, answer.content
        booked: dict[str, Any] = answer.json()
        return booked

    booked = confirm(lock(anna, "S1-1", "S1-2"), "one")
    cancelled = confirm(lock(anna, "S1-5"), "two")
    with commits(execute=True):
        path = f"reservations/bookings/{cancelled['pnr']}/cancel/"
        assert anna.post(path, {}, **{"Idempotency-Key": "three"}).status_code == 200
    hold = lock(bela, "S1-3")
    released = lock(bela, "S1-4")["hold"]
    assert bela.delete(f"reservations/holds/{released}/").status_code == 204
    # Not at once: in the millisecond of the lock there is nothing to extend.
    assert bela.post(f"reservations/holds/{hold['hold']}/extend/").status_code == 200
    while consume_pending():
        pass
    return Sale(departure, anna, bela, booked, cancelled, hold)

"""Redis away: what needs holds is 503 at once, what does not is served, and all comes back."""

import time
from typing import Any

import pytest
from django.conf import settings

from config.stores.breaker import State
from config.stores.redis import breaker_state, holds_store
from reservations.availability import plans
from reservations.services.expire_holds import expire_holds
from tests.engine import Traveller
from tests.reservations.test_bookings import book
from tests.reservations.test_hold_seats import wish
from tests.stores import OwnStore, until_answered
from tests.surviving.steps import AWAY, code_of, confirm, lock
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)

# Far from the patience of what is not in a hurry, which is what a call would wait for otherwise.
AT_ONCE_SECONDS = 6.0
PATIENCE_SECONDS = 30.0


@pytest.fixture(params=["stopped", "frozen"])
def away(request: pytest.FixtureRequest, own_holds: OwnStore, monkeypatch: Any) -> Any:
    """`away()` takes Redis away, `away(False)` brings it back."""
    calm_seconds = settings.ENV.redis_timeout_seconds
    frozen = request.param == "frozen"
    take, bring = (
        (own_holds.freeze, own_holds.thaw) if frozen else (own_holds.stop, own_holds.start)
    )

    def act(gone: bool = True) -> None:
        monkeypatch.setattr(settings.ENV, "redis_timeout_seconds", 0.25 if gone else calm_seconds)
        monkeypatch.setattr(settings.ENV, "redis_patience_seconds", PATIENCE_SECONDS)
        (take if gone else bring)()
        if not gone:
            until_answered(holds_store().ping)

    return act


def timed(call: Any) -> tuple[Any, float]:
    started = time.monotonic()
    answer = call()
    return answer, time.monotonic() - started


def test_what_needs_holds_is_unavailable_at_once(
    anna: Traveller, controller: Traveller, departure: Departure, away: Any
) -> None:
    hold = lock(anna, departure, "S1-1")
    path = f"reservations/holds/{hold['hold']}/"
    key = {"Idempotency-Key": "k"}
    calls = {
        "lock": lambda: anna.post("reservations/lock/", wish(departure, "S1-2")),
        "lock best": lambda: anna.post(
            "reservations/lock/", {**wish(departure), "seats": [], "count": 2}
        ),
        "lock with a key": lambda: anna.post("reservations/lock/", wish(departure, "S1-2"), **key),
        "extend": lambda: anna.post(f"{path}extend/"),
        "release": lambda: anna.delete(path),
        "list": lambda: anna.get("reservations/holds/"),
        "show": lambda: anna.get(path),
        "confirm": lambda: anna.post("reservations/confirm/", {"hold": hold["hold"]}),
        "staff's list": lambda: controller.get("operations/holds/"),
    }
    away()
    for name, call in calls.items():
        answer, seconds = timed(call)
        assert code_of(answer) == AWAY, name
        assert int(answer["Retry-After"]) > 0, name
        assert seconds < AT_ONCE_SECONDS, name
    assert breaker_state() is not State.CLOSED
    away(False)
    assert anna.post(f"{path}extend/").status_code == 200
    assert anna.delete(path).status_code == 204


def test_seats_search_and_departures_are_served_from_bookings_and_say_so(
    anna: Traveller, bela: Traveller, departure: Departure, away: Any
) -> None:
    book(bela, departure, "S1-1")
    lock(bela, departure, "S1-2")
    day = departure.service_date.isoformat()
    search = {"source": "AAA", "destination": "EEE", "date": day}
    places: dict[str, tuple[str, dict[str, str]]] = {
        "seats": (f"departures/{departure.pk}/seats/", {}),
        "search": ("departures/search/", search),
        "details": (f"departures/{departure.pk}/", {}),
    }

    def look(name: str) -> tuple[dict[str, Any], int, float]:
        path, query = places[name]
        answer, seconds = timed(lambda: anna.get(path, **query))
        assert answer.status_code == 200, (name, answer.content)
        body: dict[str, Any] = answer.json()
        free = {
            "seats": lambda: body["free"],
            "search": lambda: body["results"][0]["free"],
            "details": lambda: sum(coach["free"] for coach in body["coaches"]),
        }[name]()
        return body, free, seconds

    for name in places:
        body, free, _ = look(name)
        assert (body["stale"], free) == (False, 14), name
    away()
    for name in places:
        body, free, seconds = look(name)
        assert (body["stale"], free) == (True, 15), name  # 16 seats, one booked; no hold is known
        assert seconds < AT_ONCE_SECONDS, name
    seats = {seat["seat"]: seat["status"] for seat in look("seats")[0]["seats"]}
    assert (seats["S1-1"], seats["S1-2"]) == ("sold", "free")
    away(False)
    for name in places:
        body, free, _ = look(name)
        assert (body["stale"], free) == (False, 14), name


def test_bookings_are_seen_and_cancelled_by_the_logins_postgresql_knows(
    anna: Traveller, departure: Departure, away: Any
) -> None:
    pnr = book(anna, departure, "S1-1")["pnr"]
    away()
    assert anna.get(f"reservations/bookings/{pnr}/").status_code == 200
    assert anna.post(f"reservations/bookings/{pnr}/cancel/").status_code == 200
    away(False)


def test_a_sale_goes_on_over_an_outage(anna: Traveller, departure: Departure, away: Any) -> None:
    """Held before, confirmed during, seen after."""
    hold = lock(anna, departure, "S1-1", "S1-2")
    plans.forget_all()
    away()
    answer, seconds = timed(lambda: confirm(anna, hold))
    assert answer.status_code == 201
    assert seconds < AT_ONCE_SECONDS
    again, seconds = timed(lambda: confirm(anna, hold))
    assert (again.status_code, again.json()["pnr"]) == (200, answer.json()["pnr"])
    away(False)
    assert confirm(anna, hold).status_code == 200
    assert anna.get("reservations/holds/").json()["count"] == 0
    assert expire_holds().pins == 0

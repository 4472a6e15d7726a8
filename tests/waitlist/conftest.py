"""A small train that is full, and people who wait for its seats."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, TestCase

from config import clock
from config.outbox.consumers import consume_pending
from reservations.availability.plans import Stretch, plan_of
from reservations.waitlist.models import Entry
from reservations.waitlist.services.tend_waitlists import Tended, tend_waitlists
from tests.availability import railway
from tests.engine import Traveller
from trains.models import Departure

SEATS = 4
Make = Callable[..., Traveller]


@pytest.fixture(autouse=True)
def commits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What shall follow a COMMIT follows each request, though the test's transaction never ends."""
    request = Client.request

    def and_commit(self: Client, **environment: Any) -> Any:
        with committed():
            return request(self, **environment)

    monkeypatch.setattr(Client, "request", and_commit)


def committed() -> AbstractContextManager[Any]:
    return TestCase.captureOnCommitCallbacks(execute=True)


@pytest.fixture
def run(db: None, empty_redis: None) -> Departure:
    """Four legs AAA to EEE; four berths SL in S1, two chairs CC in C1."""
    coaches = (("S1", "SL", SEATS), ("C1", "CC", 2))
    stops = ("AAA", "BBB", "CCC", "DDD", "EEE")
    return railway.departure(railway.train(stops=stops, coaches=coaches))


@pytest.fixture
def sold(run: Departure, make_traveller: Make) -> list[str]:
    """The PNRs of four bookings that have all of SL, over all legs: S1-1 to S1-4 in order."""
    first = make_traveller("first", is_staff=True)
    return [book(first, run, f"S1-{number}") for number in range(1, SEATS + 1)]


@pytest.fixture
def chart_in(run: Departure, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let entries made from now on have their chart closed in so many seconds."""

    def set_it(seconds: float) -> None:
        leaves_at = plan_of(run.pk).boards_at(Stretch(0, 1))
        hours = (leaves_at - clock.now()).total_seconds() / 3600
        monkeypatch.setattr(settings.ENV, "chart_hours", hours - seconds / 3600)

    return set_it


def wish(run: Departure, **what: Any) -> dict[str, Any]:
    return {"departure": run.pk, "source": "AAA", "destination": "EEE", **what}


def lock(who: Traveller, run: Departure, **what: Any) -> Any:
    asked = {} if "seats" in what else {"travel_class": "SL", "count": 1}
    return who.post("reservations/lock/", wish(run, **{**asked, **what}))


def book(who: Traveller, run: Departure, *seats: str, **what: Any) -> str:
    held = lock(who, run, seats=list(seats), **what)
    assert held.status_code == 201, held.content
    booked = who.post("reservations/confirm/", {"hold": held.json()["hold"]})
    assert booked.status_code == 201, booked.content
    pnr: str = booked.json()["pnr"]
    return pnr


def cancel(who: Traveller, pnr: str) -> None:
    assert who.post(f"reservations/bookings/{pnr}/cancel/").status_code == 200


def join(who: Traveller, run: Departure, count: int = 1, **what: Any) -> str:
    """Join the waitlist for SL; the entry's name."""
    asked = wish(run, **{"travel_class": "SL", "count": count, **what})
    joined = who.post("reservations/waitlist/", asked)
    assert joined.status_code == 201, joined.content
    entry: str = joined.json()["entry"]
    return entry


def seen(who: Traveller, entry: str) -> dict[str, Any]:
    answer = who.get(f"reservations/waitlist/{entry}/")
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def state(entry: str) -> str:
    return Entry.objects.get(key=entry).state


def work() -> Tended:
    """What the workers do every second."""
    with committed():
        while consume_pending():
            pass
    with committed():
        return tend_waitlists()


def statuses(who: Traveller, run: Departure, **stretch: str) -> list[str]:
    """What the map shows of SL, seat by seat."""
    seats = who.get(f"departures/{run.pk}/seats/", **stretch).json()["seats"]
    return [seat["status"] for seat in seats if seat["travel_class"] == "SL"]

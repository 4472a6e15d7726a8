"""Under load: many threads lock while entries wait, seats come free and workers serve."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from random import Random
from threading import Event
from typing import Any

import pytest
from django.conf import settings
from django.db import connections

from reservations.waitlist.models import Entry
from reservations.waitlist.services.tend_waitlists import tend_waitlists
from tests.engine import Traveller
from tests.invariants import assert_invariants
from tests.promises.guards import scripts_without
from tests.waitlist.conftest import SEATS, Make, cancel, join, lock
from tests.waitlist.test_mark import MARK
from trains.models import Departure

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]

LOCKERS, TRIES, WAITERS = 10, 12, 7


def rush(
    run: Departure, sold: list[str], make: Make, desk: Traveller, *, servers: int
) -> "Counter[int]":
    """Seven wait, ten others try to lock any seat in any way while four bookings are cancelled
    one by one and workers serve: what the others were answered.
    """
    for number in range(WAITERS):
        join(make(f"waits{number}"), run, destination="CCC")
    lockers = [make(f"locks{number}") for number in range(LOCKERS)]
    is_over = Event()

    def try_to_lock(who: Traveller) -> list[int]:
        chance = Random(who.user.pk)
        answers = []
        for _ in range(TRIES):
            seat = {"seats": [f"S1-{chance.randint(1, SEATS)}"]}
            asked: dict[str, Any] = chance.choice([seat, {"travel_class": "SL", "count": 1}])
            answers.append(lock(who, run, destination="BBB", **asked).status_code)
        connections.close_all()
        return answers

    def serve() -> None:
        while not is_over.is_set():
            tend_waitlists()
        connections.close_all()

    cancel(desk, sold[0])
    with ThreadPoolExecutor(LOCKERS + servers) as pool:
        serving = [pool.submit(serve) for _ in range(servers)]
        trying = [pool.submit(try_to_lock, who) for who in lockers]
        for pnr in sold[1:]:
            cancel(desk, pnr)
        answers = Counter(status for done in trying for status in done.result())
        is_over.set()
        for server in serving:
            server.result()
    tend_waitlists()
    return answers


@pytest.fixture
def rushed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.ENV, "throttles", "off")


def test_nobody_overtakes_while_others_wait(
    rushed: None, run: Departure, sold: list[str], make_traveller: Make, controller: Traveller
) -> None:
    answers = rush(run, sold, make_traveller, controller, servers=2)
    assert answers == {409: LOCKERS * TRIES}
    queue = list(Entry.objects.order_by("id").values_list("state", flat=True))
    assert queue == ["offered"] * SEATS + ["waiting"] * (WAITERS - SEATS)
    assert_invariants(run.pk)


def test_without_the_mark_somebody_does(
    rushed: None, run: Departure, sold: list[str], make_traveller: Make, controller: Traveller
) -> None:
    with scripts_without(MARK, ""):
        answers = rush(run, sold, make_traveller, controller, servers=0)
    assert answers[201] > 0

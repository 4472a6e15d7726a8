"""The waitlist closes at chart time; what remains lapses, and nothing is kept for anybody."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.core import mail

from reservations.services.refresh_image import refresh_departure
from reservations.waitlist import prepaid
from reservations.waitlist.mail import send_waiting
from reservations.waitlist.models import Entry
from reservations.waitlist.services.serve_waitlist import serve_departure
from tests.engine import Traveller
from tests.waitlist.conftest import cancel, join, lock, seen, state, work
from trains.models import Departure

pytestmark = pytest.mark.django_db
Time = Callable[[float], AbstractContextManager[None]]


def test_at_chart_time_what_remains_lapses_and_its_money_goes_back(  # noqa: PLR0917  # fixtures
    run: Departure,
    sold: list[str],
    anna: Traveller,
    bela: Traveller,
    controller: Traveller,
    chart_in: Callable[[float], None],
    time_passes: Time,
) -> None:
    returned: list[Any] = []
    purse = prepaid.Purse(is_prepaid=lambda *_: False, give_back=returned.append)
    chart_in(100)
    offered, waits = join(anna, run), join(bela, run)
    cancel(controller, sold[0])
    work()
    entry = Entry.objects.get(key=offered)
    assert entry.offer_expires_at is not None
    late_seconds = (entry.offer_expires_at - entry.closes_at).total_seconds()
    assert late_seconds < 2, "an offer ends with the chart"
    prepaid.register(purse)
    try:
        with time_passes(103):
            assert work().closed == 1
            assert [state(offered), state(waits)] == ["lapsed", "lapsed"]
            assert lock(bela, run, seats=["S1-1"]).status_code == 201
            send_waiting()
    finally:
        prepaid.forget(purse)
    assert {str(entry.key) for entry in returned} == {offered, waits}
    assert {m.to[0] for m in mail.outbox} == {"anna@example.org", "bela@example.org"}


def test_after_the_chart_nobody_is_served_and_nothing_kept_though_no_worker_came(  # noqa: PLR0917
    run: Departure,
    sold: list[str],
    anna: Traveller,
    bela: Traveller,
    controller: Traveller,
    chart_in: Callable[[float], None],
    time_passes: Time,
) -> None:
    chart_in(100)
    entry = join(anna, run)
    cancel(controller, sold[0])
    with time_passes(101):
        assert serve_departure(run.pk) == 0
        assert seen(anna, entry)["offer"] is None
        refresh_departure(departure=run.pk)
        assert lock(bela, run, seats=["S1-1"]).status_code == 201

"""Bookings to give back: paid in the sandbox or not, on a departure days ahead."""

from collections.abc import Callable
from typing import Any

import pytest

from reservations.models import Booking
from tests.availability import railway
from tests.engine import Traveller
from tests.payments.paying import lock, pay, start
from trains.models import Departure, Train

Buy = Callable[..., Booking]


@pytest.fixture
def run(express: Train) -> Departure:
    """A departure so far ahead that cancelling is free."""
    return railway.departure(express, days_ahead=5)


@pytest.fixture
def buy(run: Departure) -> Buy:
    """Seats bought by a traveller, paid in the sandbox; `method`: how it behaves."""

    def make(who: Traveller, *seats: str, method: str = "card", **more: Any) -> Booking:
        held = lock(who, run, *(seats or ("S1-1",)))
        payment = pay(start(who, held["hold"], method=method, **more))
        assert payment.booking is not None
        return payment.booking

    return make


def cancel(who: Traveller, booking: Booking, *seats: str, **headers: str) -> Any:
    body: dict[str, Any] = {"seats": list(seats)} if seats else {}
    return who.post(f"reservations/bookings/{booking.pnr}/cancel/", body, **headers)


def detail(who: Traveller, booking: Booking) -> dict[str, Any]:
    shown: dict[str, Any] = who.get(f"reservations/bookings/{booking.pnr}/").json()
    return shown

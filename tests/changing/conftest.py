"""Travellers with seats, a second run of their train, and money that was paid for them."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum

from reservations.models import BookedSeat, Booking
from reservations.payments.models import Payment
from reservations.services import change_booking
from reservations.services.claim_hold import claim_hold
from tests.availability import railway
from tests.engine import Traveller
from tests.payments.paying import lock, pay, start
from trains.models import Departure


@pytest.fixture
def tomorrow(departure: Departure) -> Departure:
    """Another run of the same train."""
    return railway.departure(departure.train, days_ahead=9)


def book(who: Traveller, departure: Departure, *seats: str, **more: Any) -> str:
    """Lock and confirm; the PNR."""
    hold = lock(who, departure, *seats)["hold"]
    booked = who.post("reservations/confirm/", {"hold": hold, **more})
    assert booked.status_code == 201, booked.content
    return str(booked.json()["pnr"])


def book_paid(who: Traveller, departure: Departure, *seats: str, **more: Any) -> str:
    paid = pay(start(who, lock(who, departure, *seats)["hold"], **more))
    assert paid.booking is not None
    return str(paid.booking.pnr)


def change(who: Traveller, pnr: str, **wish: Any) -> Any:
    headers = {"Idempotency-Key": wish.pop("key")} if "key" in wish else {}
    return who.post(f"reservations/bookings/{pnr}/change/", wish, **headers)


def changed(who: Traveller, pnr: str, **wish: Any) -> dict[str, Any]:
    answer = change(who, pnr, **wish)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def due(who: Traveller, pnr: str, **wish: Any) -> Payment:
    """A change that must be paid for first; its payment."""
    answer = change(who, pnr, **wish)
    assert answer.status_code == 202, answer.content
    return Payment.objects.get(pk=answer.json()["due"]["payment"])


def seats_of(pnr: str) -> list[str]:
    """What it has, in order, with its departure's number in front."""
    rows = BookedSeat.objects.filter(booking__pnr=pnr, live=True)
    found = rows.select_related("seat__coach").order_by("departure_id", "seat_id")
    return [f"{row.seat.coach.label}-{row.seat.number}" for row in found]


def free(who: Traveller, departure: Departure, *seats: str) -> list[bool]:
    """Whether the map shows them free on the stretch of these tests."""
    shown = who.get(f"departures/{departure.pk}/seats/", source="AAA", destination="CCC").json()
    status = {seat["seat"]: seat["status"] for seat in shown["seats"]}
    return [status[seat] == "free" for seat in seats]


def money_agrees(pnr: str) -> bool:
    """Over all its payments: captured = what its seats cost, and what goes back."""
    booking = Booking.objects.get(pnr=pnr)
    payments = Payment.objects.filter(booking=booking)
    captured = payments.aggregate(sum=Sum("captured_amount"))["sum"] or Decimal(0)
    back = sum(
        (refund.amount for payment in payments for refund in payment.refunds.all()), Decimal(0)
    )
    live = BookedSeat.objects.filter(booking=booking, live=True)
    cost: Decimal = live.aggregate(sum=Sum("fare"))["sum"] or Decimal(0)
    return captured == cost + back and cost == booking.fare


def names(pnr: str) -> dict[str, str | None]:
    rows = BookedSeat.objects.filter(booking__pnr=pnr, live=True)
    return {
        f"{row.seat.coach.label}-{row.seat.number}": (row.passenger or {}).get("name")
        for row in rows
    }


def between(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> None:
    """Something happens after the new seats are pinned, before the transaction begins."""
    acts = [act]

    def pinned(*args: Any) -> Any:
        claim = claim_hold(*args)
        if acts:
            acts.pop()()
        return claim

    monkeypatch.setattr(change_booking, "claim_hold", pinned)

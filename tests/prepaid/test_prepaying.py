"""Who paid for a place on the waitlist is booked without being asked; what lapses goes back."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail

from config.outbox.models import OutboxEvent
from reservations.models import Booking
from reservations.payments.models import Payment, Refund
from reservations.payments.services.ask_gateways import finish_captured
from reservations.waitlist.mail import send_waiting
from reservations.waitlist.models import Entry
from tests.engine import Traveller
from tests.invariants import assert_invariants
from tests.payments.paying import lock as lock_a_seat
from tests.payments.paying import pay, refunds_go_out, start
from tests.prepaid.conftest import agrees, begin, bookings_of, prepay, stands
from tests.waitlist.conftest import cancel, join, lock, seen, state, work
from trains.models import Departure

pytestmark = pytest.mark.django_db
Time = Callable[[float], AbstractContextManager[None]]


def test_who_paid_is_booked_with_that_money_and_told(
    run: Departure, sold: list[str], anna: Traveller, bela: Traveller, controller: Traveller
) -> None:
    entry, unpaid = join(anna, run), join(bela, run)
    payment = prepay(anna, entry)
    assert stands(payment) == ("captured", "kept")
    assert seen(anna, entry)["prepaid"] == {"amount": str(payment.amount), "currency": "INR"}
    shown = anna.get(f"payments/{payment.pk}/").json()
    assert (shown["purpose"], shown["kept"], "hold" in shown) == ("waitlist", True, False)
    assert finish_captured() == 0, "money that is kept is decided for now"

    for pnr in sold[:2]:
        cancel(controller, pnr)
    work()
    shown = seen(anna, entry)
    assert (shown["status"], shown["prepaid"]) == ("confirmed", None)
    assert state(unpaid) == "offered"
    assert stands(payment) == ("captured", "booked")
    assert payment.booking is not None
    assert (payment.booking.pnr, payment.booking.fare) == (shown["pnr"], payment.captured_amount)
    assert agrees(payment)
    assert not Refund.objects.exists()
    send_waiting()
    (told,) = [each for each in mail.outbox if each.to == ["anna@example.org"]]
    assert shown["pnr"] in told.subject
    facts = OutboxEvent.objects.filter(subject=str(payment.pk)).order_by("stage", "number")
    assert [fact.kind.partition(".")[2] for fact in facts] == [
        "created", "captured", "kept", "booked"
    ]  # fmt: skip
    assert_invariants(run.pk)


@pytest.mark.parametrize("end", ["chart", "left"])
def test_a_place_that_ends_gives_the_money_back(  # noqa: PLR0917  # fixtures
    run: Departure,
    sold: list[str],
    anna: Traveller,
    chart_in: Callable[[float], None],
    time_passes: Time,
    end: str,
) -> None:
    chart_in(100)
    entry = join(anna, run)
    payment = prepay(anna, entry)
    with time_passes(101 if end == "chart" else 0):
        if end == "chart":
            assert work().closed == 1
        else:
            anna.delete(f"reservations/waitlist/{entry}/")
        refunds_go_out()
    assert stands(payment) == ("refunded", "returned")
    assert (payment.reason, agrees(payment)) == ("waitlist-over", True)
    assert Refund.objects.get().amount == payment.captured_amount
    assert bookings_of(anna) == 0


@pytest.mark.parametrize(("factor", "ends"), [("0.5", "booked"), ("2", "returned")])
def test_fares_that_changed_are_settled_to_the_cent(  # noqa: PLR0917  # fixtures
    run: Departure, sold: list[str], anna: Traveller, controller: Traveller, factor: str, ends: str
) -> None:
    """Less: the rest goes back. More: an ordinary offer, and its booking is not by this money."""
    entry = join(anna, run)
    payment = prepay(anna, entry)
    changed = {"fare_factor": factor}
    url = f"/api/v1/departures/{run.pk}/"
    assert controller.client.patch(url, changed, "application/json").status_code == 200
    cancel(controller, sold[0])
    work()
    if ends == "booked":
        booking = Booking.objects.get(owner=anna.user)
        (back,) = Refund.objects.filter(payment=payment)
        assert back.reason == "fare-lower"
        assert Decimal(0) < booking.fare < payment.amount
    else:
        offer = seen(anna, entry)["offer"]
        assert stands(payment) == ("captured", "kept")
        assert anna.post("reservations/confirm/", {"hold": offer["hold"]}).status_code == 201
        work()
        assert payment.refunds.count() == 1
    assert (state(entry), stands(payment)[1], agrees(payment)) == ("confirmed", ends, True)


def test_a_webhook_that_comes_after_the_offer_books_the_offer(
    run: Departure, sold: list[str], anna: Traveller, controller: Traveller
) -> None:
    entry = join(anna, run)
    payment = begin(anna, entry)
    cancel(controller, sold[1])
    work()
    assert state(entry) == "offered"
    pay(payment)
    assert (state(entry), stands(payment)) == ("confirmed", ("captured", "booked"))
    assert_invariants(run.pk)


@pytest.mark.parametrize("was", ["confirmed", "left"])
def test_a_webhook_that_comes_after_the_end_pays_the_booking_or_goes_back(
    run: Departure, sold: list[str], anna: Traveller, controller: Traveller, was: str
) -> None:
    entry = join(anna, run)
    payment = begin(anna, entry)
    cancel(controller, sold[1])
    work()
    hold = seen(anna, entry)["offer"]["hold"]
    if was == "confirmed":
        assert anna.post("reservations/confirm/", {"hold": hold}).status_code == 201
        work()
    else:
        anna.delete(f"reservations/waitlist/{entry}/")
    pay(payment)
    outcome = "booked" if was == "confirmed" else "returned"
    assert (state(entry), stands(payment)) == (was, ("captured", outcome))
    assert agrees(payment)


def test_an_offer_that_is_paid_by_its_hold_gives_the_place_s_money_back(
    run: Departure, sold: list[str], anna: Traveller, controller: Traveller
) -> None:
    entry = join(anna, run)
    early = begin(anna, entry)
    cancel(controller, sold[1])
    work()
    by_hold = pay(start(anna, seen(anna, entry)["offer"]["hold"]))
    work()
    pay(early)
    assert (stands(by_hold)[1], stands(early)[1]) == ("booked", "returned")
    assert (early.reason, agrees(early), agrees(by_hold)) == ("paid-twice", True, True)
    assert bookings_of(anna) == 1


def test_begun_twice_is_one_payment_and_paid_twice_is_one_kept(
    run: Departure, sold: list[str], anna: Traveller, controller: Traveller
) -> None:
    entry = join(anna, run)
    first = begin(anna, entry)
    assert begin(anna, entry).pk == first.pk
    # Staff change the fare: what was begun is not what is asked for now. Both are paid.
    url = f"/api/v1/departures/{run.pk}/"
    assert controller.client.patch(url, {"fare_factor": "2"}, "application/json").status_code == 200
    second = begin(anna, entry)
    assert second.pk != first.pk
    assert (first.amount != second.amount, Payment.objects.filter(state="created").count()) == (
        True, 1
    )  # fmt: skip
    assert [stands(pay(each))[1] for each in (second, first)] == ["kept", "returned"]
    refused = anna.post("payments/", {"entry": entry, "provider": "sandbox"})
    assert (refused.status_code, refused.json()["code"]) == (409, "illegal-state")


def test_what_cannot_be_paid_for(
    run: Departure, sold: list[str], anna: Traveller, bela: Traveller, controller: Traveller
) -> None:
    entry = join(anna, run)

    def code(who: Traveller, **body: Any) -> tuple[int, str]:
        answer = who.post("payments/", {"provider": "sandbox", **body})
        return answer.status_code, answer.json()["code"]

    assert code(bela, entry=entry) == (404, "not-found")
    assert code(anna, entry="nonsense") == (404, "not-found")
    assert code(anna) == (400, "invalid")
    chair = lock_a_seat(anna, run, "C1-1")["hold"]
    assert code(anna, entry=entry, hold=chair) == (400, "invalid")
    assert code(anna, entry=entry, provider="paypal") == (400, "invalid")
    cancel(controller, sold[0])
    work()
    offered = anna.post("payments/", {"entry": entry, "provider": "sandbox"})
    assert (offered.status_code, offered.json()["state"]) == (409, "offered")


def test_a_wrong_amount_is_not_kept(run: Departure, sold: list[str], anna: Traveller) -> None:
    entry = join(anna, run)
    payment = prepay(anna, entry, method="short")
    assert (stands(payment)[1], payment.reason) == ("returned", "amount-differs")
    assert (state(entry), seen(anna, entry)["prepaid"]) == ("waiting", None)


def test_passengers_concessions_are_in_the_amount_and_on_the_seats(
    run: Departure, sold: list[str], anna: Traveller, controller: Traveller
) -> None:
    party = [{"name": "Asha", "age": 34}, {"name": "Ravi", "age": 6}]
    entry = join(anna, run, 2, passengers=party)
    payment = prepay(anna, entry)
    for pnr in sold[:2]:
        cancel(controller, pnr)
    work()
    assert stands(payment)[1] == "booked"
    full = lock(anna, run, seats=["C1-1"]).json()
    assert full["fare"]["amount"]
    booking = Booking.objects.get(owner=anna.user)
    names = [each.passenger["name"] for each in booking.booked_seats.all() if each.passenger]
    assert sorted(names) == ["Asha", "Ravi"]
    assert Entry.objects.get(key=entry).passengers == []

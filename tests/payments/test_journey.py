"""From a hold to a paid booking, or to the money's way back."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from decimal import Decimal

import pytest

from config import clock
from reservations.models import Booking
from reservations.payments.models import Difference, Payment
from reservations.payments.services import finish_payment as finishing
from reservations.payments.services.ask_gateways import ask_gateways, compare_day, finish_captured
from tests.engine import Traveller
from tests.payments.paying import (
    changed,
    lock,
    order_of,
    pay,
    press_pay,
    refunds_go_out,
    send,
    start,
)
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)

Time = Callable[[float], AbstractContextManager[None]]


def test_a_captured_payment_becomes_a_booking(anna: Traveller, departure: Departure) -> None:
    held = lock(anna, departure, "S1-1", "S1-2")
    payment = start(anna, held["hold"])
    assert str(payment.amount) == held["fare"]["amount"]
    pay(payment)
    told = anna.get(f"payments/{payment.pk}/").json()
    booking = Booking.objects.get(hold=held["hold"])
    assert told["status"] == "captured"
    assert told["booking"] == {"pnr": booking.pnr, "status": "confirmed"}
    assert "next" not in told
    assert booking.fare == payment.captured_amount
    assert payment.outcome == "booked"


def test_starting_a_payment_keeps_the_hold_alive_for_its_window_once(
    anna: Traveller, departure: Departure, time_passes: Time
) -> None:
    hold = lock(anna, departure, "S1-1")["hold"]
    first = start(anna, hold)
    assert start(anna, hold) == first
    with time_passes(300):
        shown = anna.get(f"reservations/holds/{hold}/").json()
        assert 290 <= shown["expires_in_seconds"] <= 300
        finishing_later = start(anna, hold)
        assert finishing_later.expires_at == first.expires_at
    Payment.objects.update(state="failed")
    with time_passes(200):
        second = start(anna, hold)
        assert second != first
        assert second.expires_at == first.expires_at, "a second payment does not prolong it"
    with time_passes(200):
        answer = anna.post("payments/", {"hold": hold, "provider": "sandbox"})
        assert answer.status_code == 410


def test_the_amount_is_the_holds_and_never_the_clients(
    anna: Traveller, departure: Departure
) -> None:
    hold = lock(anna, departure, "S1-1")["hold"]
    body = {"hold": hold, "provider": "sandbox", "amount": "1.00"}
    assert anna.post("payments/", body).status_code == 400
    assert not Payment.objects.exists()


def test_a_payment_of_another_is_not_there(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    hold = lock(anna, departure, "S1-1")["hold"]
    payment = start(anna, hold)
    assert bela.get(f"payments/{payment.pk}/").status_code == 404
    assert bela.post("payments/", {"hold": hold, "provider": "sandbox"}).status_code == 404


def test_a_late_payment_takes_the_same_seats_again_if_they_are_free(
    anna: Traveller, departure: Departure, time_passes: Time
) -> None:
    held = lock(anna, departure, "S1-3", "S1-4")
    payment = start(anna, held["hold"])
    with time_passes(700):
        pay(payment)
        payment.refresh_from_db()
        assert payment.outcome == "booked"
        assert payment.booking is not None
        assert payment.booking.hold != held["hold"]
        shown = anna.get(f"reservations/bookings/{payment.booking.pnr}/").json()
        assert shown["seats"] == ["S1-3", "S1-4"]


@pytest.mark.parametrize("allowed", [True, False])
def test_a_late_payment_for_taken_seats_gets_others_if_allowed_else_the_money_back(
    anna: Traveller, bela: Traveller, departure: Departure, time_passes: Time, allowed: bool
) -> None:
    payment = start(anna, lock(anna, departure, "S1-3")["hold"], allow_other_seats=allowed)
    with time_passes(700):
        lock(bela, departure, "S1-3")
        pay(payment)
        payment.refresh_from_db()
        if allowed:
            assert payment.booking is not None
            seats = anna.get(f"reservations/bookings/{payment.booking.pnr}/").json()["seats"]
            assert len(seats) == 1
            assert seats[0].startswith("S1-")
            assert seats != ["S1-3"]
            return
        assert (payment.outcome, payment.booking) == ("returned", None)
        refunds_go_out()
        told = anna.get(f"payments/{payment.pk}/").json()
    assert told["status"] == "refunded"
    assert told["refund"]["status"] == "done"
    assert told["refund"]["reason"] == "seat-unavailable"
    assert Decimal(told["refund"]["amount"]) == payment.amount


def test_an_amount_that_differs_goes_back_as_it_came(anna: Traveller, departure: Departure) -> None:
    payment = start(anna, lock(anna, departure, "S1-1")["hold"], method="short")
    pay(payment)
    refunds_go_out()
    payment.refresh_from_db()
    refund = payment.refunds.get()
    assert (payment.outcome, payment.state) == ("returned", "refunded")
    assert (refund.reason, refund.amount) == ("amount-differs", payment.amount - 1)
    assert not Booking.objects.filter(status="confirmed").exists()


def test_another_currency_goes_back_as_it_came(anna: Traveller, departure: Departure) -> None:
    payment = start(anna, lock(anna, departure, "S1-1")["hold"])
    (body,) = press_pay(payment)
    assert send(changed(body, currency="USD")).status_code == 200
    payment.refresh_from_db()
    assert (payment.outcome, payment.captured_currency) == ("returned", "USD")


def test_a_declined_payment_leaves_the_hold_and_may_be_followed_by_another(
    anna: Traveller, departure: Departure
) -> None:
    hold = lock(anna, departure, "S1-1")["hold"]
    declined = pay(start(anna, hold, method="declined"))
    assert declined.state == "failed"
    assert anna.get(f"reservations/holds/{hold}/").status_code == 200
    assert pay(start(anna, hold)).outcome == "booked"


def test_money_for_a_booking_that_is_paid_already_goes_back(
    anna: Traveller, departure: Departure
) -> None:
    """Two payments for one hold, both captured: one pays, the other is returned."""
    hold = lock(anna, departure, "S1-1")["hold"]
    first = pay(start(anna, hold, method="declined"))
    second = pay(start(anna, hold))
    order = order_of(first)
    order.state, order.behaviour = "created", "card"
    order.save()
    pay(first)  # the card was tried again on the first page
    assert (second.outcome, first.outcome) == ("booked", "returned")
    assert first.refunds.get().reason == "paid-twice"
    assert Booking.objects.filter(status="confirmed").count() == 1


def test_a_booking_made_without_payment_is_paid_by_it(
    anna: Traveller, departure: Departure
) -> None:
    hold = lock(anna, departure, "S1-1")["hold"]
    payment = start(anna, hold)
    pnr = anna.post("reservations/confirm/", {"hold": hold}).json()["pnr"]
    pay(payment)
    assert payment.booking is not None
    assert payment.booking.pnr == pnr


def test_a_silent_gateway_is_asked_after_ten_minutes(
    anna: Traveller, departure: Departure, time_passes: Time
) -> None:
    payment = start(anna, lock(anna, departure, "S1-1")["hold"], method="silent")
    assert press_pay(payment) == []
    assert ask_gateways().asked == 0
    with time_passes(601):
        assert ask_gateways().captured == 1
        payment.refresh_from_db()
        assert payment.outcome == "booked"


def test_a_payment_nobody_made_ends_by_itself(
    anna: Traveller, departure: Departure, time_passes: Time
) -> None:
    payment = start(anna, lock(anna, departure, "S1-1")["hold"])
    with time_passes(700):
        assert ask_gateways().asked == 1
        payment.refresh_from_db()
        assert payment.state == "created", "the window is over, the grace is not"
        with time_passes(1300):
            assert ask_gateways().failed == 1
            payment.refresh_from_db()
            assert (payment.state, payment.reason) == ("failed", "not-paid")


def test_money_paid_after_the_end_is_found_though_no_webhook_comes(
    anna: Traveller, departure: Departure, time_passes: Time
) -> None:
    payment = start(anna, lock(anna, departure, "S1-1")["hold"], method="silent")
    with time_passes(1300):
        assert ask_gateways().failed == 1
        assert press_pay(payment) == []
        with time_passes(1300 + 3601):
            assert ask_gateways().captured == 1
    payment.refresh_from_db()
    assert (payment.state, payment.outcome) == ("captured", "booked")


def test_the_days_totals_find_what_neither_webhook_nor_asking_did(
    anna: Traveller, departure: Departure
) -> None:
    payment = start(anna, lock(anna, departure, "S1-1")["hold"], method="silent")
    press_pay(payment)
    assert compare_day(clock.now().date()) == 0
    payment.refresh_from_db()
    assert payment.outcome == "booked"


def test_the_days_totals_are_compared_and_differences_listed_once(
    anna: Traveller, departure: Departure, controller: Traveller
) -> None:
    pay(start(anna, lock(anna, departure, "S1-1")["hold"]))
    today = clock.now().date()
    assert compare_day(today) == 0
    Payment.objects.update(captured_amount=Decimal(1))
    assert compare_day(today) == 1
    assert compare_day(today) == 1
    (listed,) = controller.get("operations/payments/differences/").json()["results"]
    assert listed["kind"] == "captured-differs"
    settled = controller.post(
        f"operations/payments/differences/{listed['difference']}/settle/",
        {"note": "counted by hand"},
    )
    assert settled.status_code == 200
    assert controller.get("operations/payments/differences/").json()["count"] == 0
    again = controller.post(
        f"operations/payments/differences/{listed['difference']}/settle/", {"note": "once more"}
    )
    assert again.json()["code"] == "illegal-state"
    assert Difference.objects.count() == 1


def test_a_payment_killed_between_capture_and_booking_is_finished_by_the_task(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = start(anna, lock(anna, departure, "S1-1")["hold"])
    bodies = press_pay(payment)
    with monkeypatch.context() as killed:
        killed.setattr("reservations.payments.services.receive_webhook.finish_soon", lambda _: None)
        assert [send(body).status_code for body in bodies] == [200]
    payment.refresh_from_db()
    assert (payment.state, payment.outcome) == ("captured", "")
    assert finish_captured() == 1
    payment.refresh_from_db()
    assert payment.outcome == "booked"
    assert finish_captured() == 0


def test_a_hold_is_not_paid_for_after_it_was_booked(anna: Traveller, departure: Departure) -> None:
    hold = lock(anna, departure, "S1-1")["hold"]
    assert anna.post("reservations/confirm/", {"hold": hold}).status_code == 201
    answer = anna.post("payments/", {"hold": hold, "provider": "sandbox"})
    assert (answer.status_code, answer.json()["code"]) == (409, "illegal-state")


def test_an_unknown_provider_is_refused(anna: Traveller, departure: Departure) -> None:
    hold = lock(anna, departure, "S1-1")["hold"]
    answer = anna.post("payments/", {"hold": hold, "provider": "stripe"})
    assert answer.json()["errors"] == {"provider": ["One of sandbox."]}


def test_finishing_a_payment_twice_changes_nothing(anna: Traveller, departure: Departure) -> None:
    payment = pay(start(anna, lock(anna, departure, "S1-1")["hold"]))
    before = payment.booking_id
    assert finishing.finish_payment(payment.pk) == "booked"
    payment.refresh_from_db()
    assert payment.booking_id == before
    assert payment.captured_at is not None
    assert payment.captured_at - payment.created_at < timedelta(minutes=5)

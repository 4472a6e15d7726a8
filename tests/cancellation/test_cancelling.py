"""Seats are given back: whole bookings and parts of them, what comes back, and what others see."""

from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from django.core import mail

from config import clock
from config.outbox.consumers import consume_pending
from config.outbox.models import OutboxEvent
from reservations.models import BookedSeat, Booking, Cancellation
from reservations.payments.models import Payment, Refund, SandboxRefund
from reservations.services.cancel_booking import Override, cancel_booking, quote_cancellation
from reservations.services.mail_bookings import send_waiting
from tests.cancellation.conftest import Buy, cancel, detail
from tests.engine import Traveller
from tests.payments.paying import lock, refunds_go_out
from tests.reservations.test_bookings import book
from trains.models import Departure
from users.models import User

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_seat_of_three_is_given_back_and_the_booking_goes_on(
    anna: Traveller, bela: Traveller, buy: Buy, run: Departure
) -> None:
    booking = buy(anna, "S1-1", "S1-2", "S1-3")
    fare = booking.fare
    quoted = anna.get(f"reservations/bookings/{booking.pnr}/cancel/", seats="S1-2").json()
    assert quoted == {
        "pnr": booking.pnr,
        "seats": ["S1-2"],
        "ends_booking": False,
        "fare": {"amount": str(fare / 3), "currency": "INR"},
        "kept": {"amount": "0.00", "currency": "INR"},
        "refund": {"amount": str(fare / 3), "currency": "INR", "rule": "full"},
    }
    done = cancel(anna, booking, "S1-2")
    assert done.status_code == 200, done.content
    assert done.json() == {
        "pnr": booking.pnr,
        "status": "confirmed",
        "seats": ["S1-2"],
        "refund": quoted["refund"],
    }
    shown = detail(anna, booking)
    assert (shown["seats"], shown["status"]) == (["S1-1", "S1-3"], "confirmed")
    assert shown["fare"]["amount"] == str(fare * 2 / 3)
    parts = sum(Decimal(part["amount"]) for part in shown["fare"]["parts"])
    assert parts == Decimal(shown["fare"]["amount"])
    assert shown["cancelled_at"] is None
    assert lock(bela, run, "S1-2")["seats"] == ["S1-2"], "free at once"
    wish = {"departure": run.pk, "source": "AAA", "destination": "CCC", "seats": ["S1-1"]}
    assert bela.post("reservations/lock/", wish).status_code == 409
    fact = OutboxEvent.objects.get(kind="booking.seats-cancelled")
    assert (fact.event_id, fact.stage, fact.number) == (f"{booking.pnr}:seats-cancelled:2", 4, 2)
    assert fact.body["seats"] == ["S1-2"]


@pytest.mark.django_db
def test_seats_given_back_one_by_one_end_the_booking_and_refunds_add_up(
    anna: Traveller, buy: Buy
) -> None:
    booking = buy(anna, "S1-1", "S1-2", "S1-3")
    for number, seat in enumerate(("S1-3", "S1-1", "S1-2"), start=1):
        assert cancel(anna, booking, seat).json()["status"] == (
            "cancelled" if number == 3 else "confirmed"
        )
        refunds_go_out()
    shown = detail(anna, booking)
    assert shown["status"] == "cancelled"
    assert shown["seats"] == ["S1-1", "S1-2", "S1-3"]
    assert [each["seats"] for each in shown["cancellations"]] == [["S1-3"], ["S1-1"], ["S1-2"]]
    assert {each["refund"]["status"] for each in shown["cancellations"]} == {"done"}
    payment = Payment.objects.get()
    assert (payment.state, payment.outcome) == ("refunded", "booked")
    given = sum(each.amount for each in SandboxRefund.objects.all())
    assert given == payment.captured_amount == Decimal(shown["fare"]["amount"])
    again = cancel(anna, booking, "S1-1")
    assert (again.status_code, again.json()["state"]) == (409, "cancelled")


@pytest.mark.django_db
def test_the_detail_shows_how_the_refund_stands(anna: Traveller, buy: Buy) -> None:
    booking = buy(anna, "S1-1", method="refund-down")
    assert detail(anna, booking)["cancellation"] is None
    before = clock.now()
    assert cancel(anna, booking).status_code == 200
    shown = detail(anna, booking)["cancellation"]
    refund = Refund.objects.get()
    assert {**shown, "at": ""} == {
        "at": "",
        "by": "owner",
        "rule": "full",
        "seats": ["S1-1"],
        "refund": {
            "amount": str(booking.fare),
            "currency": "INR",
            "status": "due",
            "reference": "",
        },
    }
    for minutes in (0, 5, 10, 30):  # down twice, asked again later each time
        with clock.moved(timedelta(minutes=minutes)):
            refunds_go_out()
    refund.refresh_from_db()
    assert refund.attempts == 3
    stand = detail(anna, booking)["cancellation"]["refund"]
    assert (stand["status"], stand["reference"]) == ("done", refund.reference)
    assert refund.reference
    assert Cancellation.objects.get().at >= before


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("hours", "rule", "kept"),
    [(49, "full", "0"), (47, "quarter-kept", "0.25"), (5, "half-kept", "0.5"), (1, "none", "1"),
     (-1, "departed", "1")],
)  # fmt: skip
def test_hours_are_counted_to_where_the_traveller_boards(
    anna: Traveller, buy: Buy, hours: int, rule: str, kept: str
) -> None:
    booking = buy(anna, "C1-1")
    boards = detail(anna, booking)["source"]["departs_at"]
    left = clock.now().fromisoformat(boards) - clock.now()
    with clock.moved(left - timedelta(hours=hours)):
        quoted = quote_cancellation(actor=anna.user.pk, as_staff=False, pnr=str(booking.pnr))
        share = (booking.fare * Decimal(kept)).quantize(Decimal("0.01"), ROUND_HALF_UP)
        assert (quoted.rule, quoted.kept) == (rule, share)
        done = cancel_booking(actor=anna.user.pk, as_staff=False, pnr=str(booking.pnr))
        assert (done.refund, done.rule) == (quoted.refund, rule)
    owed = sum(each.amount for each in Refund.objects.all())
    assert owed == quoted.refund
    assert detail(anna, booking)["cancellation"]["refund"]["status"] == (
        "due" if quoted.refund else "none"
    )


@pytest.mark.django_db
def test_the_owner_is_told_what_goes_back_and_which_seats_are_left(
    anna: Traveller, bela: Traveller, buy: Buy
) -> None:
    """Who has no address is told nothing."""
    booking, other = buy(anna, "S1-1", "S1-2", "S1-3"), buy(bela, "S1-5")
    User.objects.filter(pk=bela.user.pk).update(email="")
    cancel(anna, booking, "S1-2")
    cancel(bela, other)
    assert send_waiting() == 2
    boards = clock.now().fromisoformat(detail(anna, booking)["source"]["departs_at"])
    with clock.moved(boards - clock.now() - timedelta(minutes=5)):
        cancel_booking(actor=anna.user.pk, as_staff=False, pnr=str(booking.pnr))
        assert send_waiting() == 1
    part, rest = mail.outbox
    assert part.subject == f"Seats cancelled: {booking.pnr}"
    assert f"S1-2. {booking.fare / 3} INR of {booking.fare / 3} INR go back" in part.body
    assert "You keep S1-1, S1-3." in part.body
    assert rest.subject == f"Booking cancelled: {booking.pnr}"
    assert "Cancelled: S1-1, S1-3. Nothing goes back by the rules" in rest.body


@pytest.mark.django_db
def test_what_nobody_paid_here_is_given_back_by_hand(anna: Traveller, run: Departure) -> None:
    booked = book(anna, run, "S1-1")
    booking = Booking.objects.get(pnr=booked["pnr"])
    done = cancel(anna, booking)
    assert done.json()["refund"]["amount"] == booked["fare"]["amount"]
    stand = detail(anna, booking)["cancellation"]["refund"]
    assert (stand["status"], stand["amount"]) == ("by-hand", booked["fare"]["amount"])
    assert not Refund.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("seats", [["S1-9"], ["S1-1", "S1-4"], ["x"], []])
def test_seats_of_others_and_of_nobody_are_refused(
    anna: Traveller, buy: Buy, seats: list[str]
) -> None:
    booking = buy(anna, "S1-1", "S1-2")
    refused = anna.post(f"reservations/bookings/{booking.pnr}/cancel/", {"seats": seats})
    assert refused.status_code == 400
    assert "seats" in refused.json()["errors"]
    assert BookedSeat.objects.filter(live=True).count() == 2


@pytest.mark.django_db
def test_a_seat_named_twice_is_given_back_once(anna: Traveller, buy: Buy) -> None:
    booking = buy(anna, "S1-1", "S1-2")
    done = cancel(anna, booking, "S1-2", "S1-2").json()
    assert (done["seats"], done["refund"]["amount"]) == (["S1-2"], str(booking.fare / 2))


@pytest.mark.django_db
def test_one_key_gives_back_once(anna: Traveller, buy: Buy) -> None:
    booking = buy(anna, "S1-1", "S1-2")
    first = cancel(anna, booking, "S1-1", **{"Idempotency-Key": "k"})
    again = cancel(anna, booking, "S1-1", **{"Idempotency-Key": "k"})
    assert (first.json(), again.status_code) == (again.json(), 200)
    assert Cancellation.objects.count() == Refund.objects.count() == 1


@pytest.mark.django_db
def test_staff_override_the_rules_with_a_reason(
    anna: Traveller, controller: Traveller, buy: Buy
) -> None:
    booking = buy(anna, "S1-1", "S1-2")
    path = f"operations/bookings/{booking.pnr}/cancel/"
    assert anna.post(path, {"reason": "because"}).status_code == 403
    assert controller.post(path, {"refund": "1.00"}).status_code == 400
    too_much = {"reason": "so kind", "refund": str(booking.fare + 1)}
    assert "refund" in controller.post(path, too_much).json()["errors"]
    part = {"reason": "taken ill", "seats": ["S1-2"], "refund": "12.34"}
    done = controller.post(path, part)
    assert done.json()["refund"] == {"amount": "12.34", "currency": "INR", "rule": "staff"}
    shown = detail(anna, booking)["cancellation"]
    assert (shown["by"], shown["rule"]) == ("staff", "staff")
    fact = OutboxEvent.objects.get(kind="booking.seats-cancelled")
    assert (fact.body["reason"], fact.body["actor"]) == ("taken ill", controller.user.pk)
    by_the_rules = controller.post(path, {"reason": "asked for it"})
    assert by_the_rules.json()["refund"]["rule"] == "full"
    owed = sum(each.amount for each in Refund.objects.all())
    assert owed == Decimal("12.34") + booking.fare / 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("is_own", "overrides", "by"),
    [
        (True, False, "owner"),
        (True, True, "staff"),
        (False, False, "staff"),
        (False, True, "staff"),
    ],
)
def test_staff_cancel_as_owners_only_what_is_their_own_and_by_the_rules(
    anna: Traveller, controller: Traveller, buy: Buy, *, is_own: bool, overrides: bool, by: str
) -> None:
    booking = buy(controller if is_own else anna)
    override = Override(reason="why not", refund=None) if overrides else None
    pnr = str(booking.pnr)
    cancel_booking(actor=controller.user.pk, as_staff=True, pnr=pnr, override=override)
    assert Cancellation.objects.get().by == by


@pytest.mark.django_db
def test_only_staff_override(anna: Traveller, buy: Buy) -> None:
    booking = buy(anna)
    with pytest.raises(AssertionError):
        cancel_booking(
            actor=anna.user.pk,
            as_staff=False,
            pnr=str(booking.pnr),
            override=Override(reason="me", refund=booking.fare),
        )


@pytest.mark.django_db
def test_who_has_boarded_gives_nothing_back_but_staff_may(
    anna: Traveller, controller: Traveller, buy: Buy
) -> None:
    booking = buy(anna, "S1-1", "S1-2")
    token = anna.get(f"tickets/{booking.pnr}/").json()["token"]
    assert controller.post("tickets/verify/", {"token": token}).json()["valid"]
    refused = cancel(anna, booking)
    assert (refused.status_code, refused.json()["state"]) == (409, "boarded")
    assert anna.get(f"reservations/bookings/{booking.pnr}/cancel/").status_code == 409
    path = f"operations/bookings/{booking.pnr}/cancel/"
    assert controller.post(path, {"reason": "the train broke down"}).status_code == 200


def test_the_ticket_is_issued_anew_for_the_seats_that_are_left(
    anna: Traveller, controller: Traveller, buy: Buy
) -> None:
    booking = buy(anna, "S1-1", "S1-2")
    old = anna.get(f"tickets/{booking.pnr}/").json()
    cancel(anna, booking, "S1-1")
    while consume_pending():
        pass
    new = anna.get(f"tickets/{booking.pnr}/").json()
    assert new["ticket_number"] == old["ticket_number"]
    assert (new["seats"], new["fare"]["amount"]) == (["S1-2"], str(booking.fare / 2))

    def shown(token: str) -> object:
        said = controller.post("tickets/verify/", {"token": token}).json()
        return said["reason"] or said["valid"]

    assert shown(old["token"]) == "superseded"
    assert shown(new["token"]) is True
    assert OutboxEvent.objects.get(kind="ticket.reissued").number == 2

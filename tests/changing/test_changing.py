"""Other seats or another departure in one step: seats, people, money, ticket, facts."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail

from config import clock
from config.errors import NotFound
from config.outbox.consumers import consume_pending
from config.outbox.models import OutboxEvent
from reservations.errors import IllegalState
from reservations.models import BookedSeat, Booking
from reservations.payments.models import Payment, Refund
from reservations.services import charge_difference
from reservations.services.change_booking import ChangeWish, begin_change, change_booking
from reservations.services.hold_seats import Owner
from reservations.tickets.mail import send_waiting
from tests.availability import railway
from tests.changing.conftest import (
    book,
    book_paid,
    change,
    changed,
    due,
    free,
    money_agrees,
    names,
    seats_of,
)
from tests.engine import Traveller
from tests.invariants import assert_invariants
from tests.payments.paying import lock, pay, refunds_go_out
from trains.models import ClassFare, Departure, FareSlab

pytestmark = pytest.mark.django_db(transaction=True)
Time = Callable[[float], AbstractContextManager[None]]


def consume() -> None:
    while consume_pending():
        pass


def test_seats_are_swapped_and_the_people_go_along(anna: Traveller, departure: Departure) -> None:
    party = [{"name": "Asha", "age": 40}, {"name": "Ravi", "age": 41}]
    pnr = book(anna, departure, "S1-1", "S1-2", passengers=party)
    done = changed(anna, pnr, seats=["S1-7", "S1-5"], instead_of=["S1-2", "S1-1"])
    assert (done["pnr"], done["status"], done["difference"]["amount"]) == (pnr, "changed", "0.00")
    assert done["booking"]["seats"] == ["S1-5", "S1-7"]
    assert names(pnr) == {"S1-5": "Asha", "S1-7": "Ravi"}
    assert free(anna, departure, "S1-1", "S1-2", "S1-5", "S1-7") == [True, True, False, False]
    assert not BookedSeat.objects.filter(live=False, passenger__isnull=False).exists()
    assert_invariants(departure.pk)
    consume()
    assert_invariants(departure.pk, at_rest=True)


def test_one_of_several_seats(anna: Traveller, departure: Departure) -> None:
    pnr = book(anna, departure, "S1-1", "S1-2", "S1-3")
    done = changed(anna, pnr, seats=["S1-8"], instead_of=["S1-2"])
    assert done["booking"]["seats"] == ["S1-1", "S1-3", "S1-8"]
    again = changed(anna, pnr, instead_of=["S1-8"])
    assert len(again["booking"]["seats"]) == 3
    assert all(seat.startswith("S1-") for seat in again["booking"]["seats"])
    assert Booking.objects.get(pnr=pnr).revision == 3
    consume()
    assert_invariants(departure.pk, at_rest=True)


def test_all_move_to_another_departure(
    anna: Traveller, departure: Departure, tomorrow: Departure
) -> None:
    pnr = book(anna, departure, "S1-1", "S1-2")
    done = changed(anna, pnr, departure=tomorrow.pk)
    assert done["booking"]["departure"] == tomorrow.pk
    assert len(seats_of(pnr)) == 2
    assert free(anna, departure, "S1-1", "S1-2") == [True, True]
    assert anna.get(f"reservations/bookings/{pnr}/").json()["departure"] == tomorrow.pk
    back = changed(anna, pnr, departure=departure.pk, seats=["S1-1", "S1-2"])
    assert back["booking"]["seats"] == ["S1-1", "S1-2"]
    consume()
    assert_invariants(departure.pk, tomorrow.pk, at_rest=True)
    cancelled = anna.post(f"reservations/bookings/{pnr}/cancel/")
    assert cancelled.status_code == 200
    assert free(anna, departure, "S1-1", "S1-2") == [True, True]


def test_a_moved_booking_shows_what_it_gave_back_before(
    anna: Traveller, departure: Departure, tomorrow: Departure
) -> None:
    """Its cancelled seat is one of another departure than its seats are now."""
    pnr = book(anna, departure, "S1-1", "S1-2")
    assert anna.post(
        f"reservations/bookings/{pnr}/cancel/", {"seats": ["S1-1"]}
    ).status_code == 200  # fmt: skip
    changed(anna, pnr, departure=tomorrow.pk, seats=["S1-6"])
    shown = anna.get(f"reservations/bookings/{pnr}/").json()
    assert (shown["seats"], shown["cancellation"]["seats"]) == (["S1-6"], ["S1-1"])
    consume()
    assert_invariants(departure.pk, tomorrow.pk, at_rest=True)


def test_where_only_the_sum_of_the_fares_is_known_each_seat_gives_its_share(
    anna: Traveller, departure: Departure
) -> None:
    pnr = book(anna, departure, "S1-1", "S1-2")
    BookedSeat.objects.update(fare=0)
    done = changed(anna, pnr, seats=["S1-5"], instead_of=["S1-2"])
    assert done["difference"]["amount"] == "0.00"


def test_part_of_a_booking_goes_by_no_other_departure(
    anna: Traveller, departure: Departure, tomorrow: Departure
) -> None:
    pnr = book(anna, departure, "S1-1", "S1-2")
    refused = change(anna, pnr, departure=tomorrow.pk, seats=["S1-5"], instead_of=["S1-1"])
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["instead_of"])
    assert free(anna, tomorrow, "S1-5") == [True]


def test_seats_of_two_classes_ask_for_one_to_move_to(anna: Traveller, departure: Departure) -> None:
    pnr = book(anna, departure, "S1-1", "C1-1")
    refused = change(anna, pnr)
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["travel_class"])
    moved = changed(anna, pnr, travel_class="CC")["booking"]["seats"]
    assert [seat.split("-")[0] for seat in moved] == ["C1", "C1"]


def fare_of(who: Traveller, departure: Departure, seat: str) -> Decimal:
    held = lock(who, departure, seat)
    who.delete(f"reservations/holds/{held['hold']}/")
    return Decimal(held["fare"]["amount"])


def test_more_is_paid_first_and_less_goes_back(anna: Traveller, departure: Departure) -> None:
    """A berth for a chair and back: her old seat is hers until the money is there."""
    more = fare_of(anna, departure, "C1-1") - fare_of(anna, departure, "S1-1")
    assert more > 0, "a chair costs more than a berth"
    pnr = book_paid(anna, departure, "S1-1")
    payment = due(anna, pnr, seats=["C1-2"])
    assert (payment.amount, payment.purpose) == (more, "change")
    assert (seats_of(pnr), free(anna, departure, "S1-1", "C1-2")) == (["S1-1"], [False, False])
    assert anna.get(f"payments/{payment.pk}/").json()["purpose"] == "change"
    assert pay(payment).outcome == "booked"
    assert (seats_of(pnr), free(anna, departure, "S1-1", "C1-2")) == (["C1-2"], [True, False])
    assert money_agrees(pnr)

    done = changed(anna, pnr, seats=["S1-3"])
    assert Decimal(done["difference"]["amount"]) == -more
    assert done["refund"] == {"amount": str(more), "currency": "INR", "status": "due"}
    assert Refund.objects.get().reason == "fare-difference"
    refunds_go_out()
    assert money_agrees(pnr)
    assert anna.post(f"reservations/bookings/{pnr}/cancel/").status_code == 200
    consume()
    assert_invariants(departure.pk, at_rest=True)


def test_one_unit_more_is_paid_first_where_one_unit_was_paid(
    anna: Traveller, departure: Departure
) -> None:
    ClassFare.objects.update(per_km=0, reservation=0, superfast=0, tax_percent=0)
    FareSlab.objects.all().delete()
    for travel_class, base in (("SL", 1), ("CC", 2)):
        ClassFare.objects.filter(travel_class=travel_class).update(base=base)
    pnr = book_paid(anna, departure, "S1-1")
    assert due(anna, pnr, seats=["C1-2"]).amount == 1
    assert Payment.objects.get(purpose="hold").amount == 1


@pytest.mark.parametrize(
    ("how", "status", "kept_for_a_repeat"),
    [({"provider": "paypal"}, 400, False), ({"method": "down"}, 503, True)],
)
def test_where_the_payment_cannot_begin_new_seats_wait_for_a_repeat_alone(
    anna: Traveller, departure: Departure, how: dict[str, str], status: int, kept_for_a_repeat: bool
) -> None:
    """Who sends a key will find the hold, if a later try can do better; nobody else will."""
    pnr = book_paid(anna, departure, "S1-1")
    assert change(anna, pnr, seats=["C1-2"], **how).status_code == status
    assert free(anna, departure, "S1-1", "C1-2") == [False, True]
    for _ in range(2):
        assert change(anna, pnr, seats=["C1-3"], key="k", **how).status_code == status
        assert free(anna, departure, "S1-1", "C1-3") == [False, not kept_for_a_repeat]


def test_a_cancel_gives_back_what_several_payments_took_none_more_than_its_own(
    anna: Traveller, tomorrow: Departure
) -> None:
    pnr = book_paid(anna, tomorrow, "S1-1")
    later = due(anna, pnr, seats=["C1-2"])
    assert pay(later).outcome == "booked"
    assert anna.post(f"reservations/bookings/{pnr}/cancel/").status_code == 200
    took = {each.pk: each.captured_amount for each in Payment.objects.all()}
    assert len(took) == 2
    assert {each.payment_id: each.amount for each in Refund.objects.all()} == took


def test_who_has_not_paid_pays_nothing_and_is_given_back_by_hand(
    anna: Traveller, departure: Departure
) -> None:
    pnr = book(anna, departure, "S1-1")
    stands = [changed(anna, pnr, seats=[seat])["refund"]["status"] for seat in ("C1-1", "S1-1")]
    assert stands == ["none", "by-hand"]
    assert not Payment.objects.exists()


def test_where_everybody_pays_an_unpaid_booking_pays_its_difference(
    anna: Traveller, controller: Traveller, departure: Departure, settings: Any
) -> None:
    pnr = book(anna, departure, "S1-1")
    settings.ENV = settings.ENV.model_copy(update={"require_payment": "on"})
    assert due(anna, pnr, seats=["C1-1"]).state == "created"
    with pytest.MonkeyPatch.context() as nobody_takes_money:
        nobody_takes_money.setattr(charge_difference, "_charges", [])
        refused = change(anna, pnr, seats=["C1-3"])
    assert (refused.status_code, refused.json()["code"]) == (402, "payment-required")
    assert free(anna, departure, "S1-1", "C1-3") == [False, True]
    by_staff = changed(controller, pnr, seats=["C1-2"])
    assert by_staff["booking"]["seats"] == ["C1-2"]


def test_the_ticket_of_before_is_void_and_the_new_one_is_mailed(
    anna: Traveller, controller: Traveller, departure: Departure
) -> None:
    pnr = book_paid(anna, departure, "S1-1")
    consume()
    old = anna.get(f"tickets/{pnr}/").json()
    changed(anna, pnr, seats=["S1-4"])
    refused = controller.post("tickets/verify/", {"token": old["token"]}).json()
    assert (refused["valid"], refused["reason"]) == (False, "superseded")
    consume()
    mail.outbox.clear()
    send_waiting()
    assert "S1-4" in str(mail.outbox[-1].body)
    new = anna.get(f"tickets/{pnr}/").json()
    assert (new["seats"], new["ticket_number"]) == (["S1-4"], old["ticket_number"])
    assert controller.post("tickets/verify/", {"token": new["token"]}).json()["valid"]
    boarded = change(anna, pnr, seats=["C1-5"])  # no payment begins
    assert (boarded.status_code, boarded.json()["state"]) == (409, "boarded")


def test_facts_name_what_was_taken_and_given_up_and_no_person(
    anna: Traveller, controller: Traveller, departure: Departure, tomorrow: Departure
) -> None:
    party = [{"name": "Asha Kshatriya", "age": 40}]
    pnr = book(anna, departure, "S1-1", passengers=party)
    changed(controller, pnr, departure=tomorrow.pk, seats=["S1-3"])
    facts = {fact.kind: fact for fact in OutboxEvent.objects.filter(subject=pnr)}
    new, old = facts["booking.changed"], facts["booking.seats-exchanged"]
    assert (new.event_id, new.stage, new.number) == (f"{pnr}:changed:2", 4, 2)
    assert (new.body["departure"], new.body["from_departure"]) == (tomorrow.pk, departure.pk)
    assert (new.body["seats"], old.body["departure"]) == (["S1-3"], departure.pk)
    assert new.body["actor"] == controller.user.pk
    changed(anna, pnr, seats=["S1-4"])
    assert "actor" not in OutboxEvent.objects.get(event_id=f"{pnr}:changed:3").body
    assert not [fact for fact in facts.values() if "Asha" in str(fact.body)]


@pytest.mark.parametrize(
    ("wish", "status", "word"),
    [
        ({"seats": ["S1-1"]}, 409, "seat-unavailable"),
        ({"seats": ["S1-5"]}, 400, "seats"),
        ({"seats": ["S1-5", "S1-99"]}, 400, "seats"),
        ({"seats": ["S1-5"], "instead_of": ["S1-8"]}, 400, "instead_of"),
        ({"seats": ["S1-5", "S1-6"], "instead_of": ["S1-1", "S1-1"]}, 400, "instead_of"),
        ({"instead_of": ["S1-1", "S1-8"]}, 400, "instead_of"),
        ({"seats": ["S1-5", "S1-6"], "travel_class": "SL"}, 400, "travel_class"),
        ({"travel_class": "1A"}, 400, "travel_class"),
        ({"departure": 10**9}, 404, "not-found"),
        ({"destination": "DDD", "instead_of": ["S1-1"], "seats": ["S1-5"]}, 400, "instead_of"),
        ({"provider": "paypal", "seats": ["S1-5", "S1-6"]}, 200, ""),
    ],
)
def test_what_cannot_be_changed_is_not(
    anna: Traveller, departure: Departure, wish: dict[str, Any], status: int, word: str
) -> None:
    pnr = book(anna, departure, "S1-1", "S1-2")
    if word == "seat-unavailable":
        wish = {"seats": ["S1-1"], "instead_of": ["S1-2"]}
    answer = change(anna, pnr, **wish)
    assert answer.status_code == status, answer.content
    if word:
        refused = answer.json()
        assert word in {refused["code"], *refused.get("errors", ())}
        assert seats_of(pnr) == ["S1-1", "S1-2"]
        assert free(anna, departure, "S1-5") == [True]


def test_another_s_booking_a_cancelled_one_and_a_train_that_left(
    anna: Traveller,
    bela: Traveller,
    departure: Departure,
    time_passes: Time,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pnr, gone = book(anna, departure, "S1-1"), book(anna, departure, "S1-3")
    assert change(bela, pnr, seats=["S1-2"]).status_code == 404
    for ask in (change_booking, begin_change):  # nobody is staff who does not say so
        with pytest.raises(NotFound):
            ask(owner=Owner(bela.user.pk, "none"), pnr=pnr, wish=ChangeWish(seats=("S1-2",)))
    assert change(anna, "NOSUCHPNR", seats=["S1-2"]).status_code == 404
    assert anna.post(f"reservations/bookings/{gone}/cancel/").status_code == 200
    assert change(anna, gone, seats=["S1-2"]).json()["state"] == "cancelled"
    left_in = (departure.starts_at - clock.now()).total_seconds() + 9 * railway.HOUR
    with time_passes(left_in), pytest.raises(IllegalState, match="has left"):
        change_booking(owner=Owner(anna.user.pk, "none"), pnr=pnr, wish=ChangeWish(seats=("S1-2",)))
    shown = anna.get(f"reservations/bookings/{pnr}/").json()
    boards = clock.now().fromisoformat(shown["source"]["departs_at"])
    monkeypatch.setattr(clock, "now", lambda: boards)
    with pytest.raises(IllegalState, match="has left"):
        change_booking(owner=Owner(anna.user.pk, "none"), pnr=pnr, wish=ChangeWish(seats=("S1-2",)))


def test_a_key_makes_one_change_and_one_payment(anna: Traveller, departure: Departure) -> None:
    pnr = book(anna, departure, "S1-1")
    first, again = (change(anna, pnr, seats=["S1-2"], key="k1") for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    assert again["Idempotency-Replayed"] == "true"
    assert again.json() == first.json()
    assert Booking.objects.get(pnr=pnr).revision == 2
    refused = [change(anna, pnr, seats=["S1-2"], key="k2") for _ in range(2)]
    assert [each.status_code for each in refused] == [409, 409]
    other = change(anna, pnr, seats=["S1-3"], key="k1")
    assert other.status_code == 422

    paid = book_paid(anna, departure, "S1-5")
    one, two = (change(anna, paid, seats=["C1-4"], key="k3") for _ in range(2))
    assert (one.status_code, one.json()) == (202, two.json())
    assert Payment.objects.filter(purpose="change").count() == 1

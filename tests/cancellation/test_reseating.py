"""Another vehicle runs on a sold departure: a plan, its confirmation, and who is told what."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from django.core import mail

from config.outbox.consumers import consume_pending
from config.outbox.models import OutboxEvent
from reservations.availability.plans import Stretch, plan_of
from reservations.availability.reseating import Party, reseat
from reservations.availability.words import no_words
from reservations.holds import store
from reservations.models import BookedSeat, Reseating, SeatBlock
from reservations.payments.models import Refund
from reservations.services.mail_bookings import send_waiting
from reservations.tickets.models import TicketMail
from tests.availability import railway
from tests.cancellation.conftest import Buy, cancel, detail
from tests.engine import Traveller
from tests.invariants import assert_invariants
from tests.payments.paying import lock
from trains.models import Departure, Train

pytestmark = pytest.mark.django_db(transaction=True)
Ask = Callable[..., Any]


@pytest.fixture
def express(db: None, empty_redis: None) -> Train:
    """Two coaches of 8 berths, so that one can take the other's passengers."""
    coaches = (("S1", "SL", 8), ("S2", "SL", 8))
    return railway.train(stops=("AAA", "BBB", "CCC", "DDD", "EEE"), coaches=coaches)


@pytest.fixture
def plan(controller: Traveller, run: Departure) -> Ask:
    def ask(*coaches: dict[str, Any], status: int = 201) -> dict[str, Any]:
        path = f"operations/departures/{run.pk}/reseatings/"
        body = {"coaches": coaches or [{"coach": "S1"}], "reason": "S1 broke down"}
        answer = controller.post(path, body)
        assert answer.status_code == status, answer.content
        found: dict[str, Any] = answer.json()
        return found

    return ask


def confirm(controller: Traveller, made: dict[str, Any]) -> Any:
    return controller.post(f"operations/reseatings/{made['reseating']}/confirm/")


def drop(controller: Traveller, made: dict[str, Any]) -> Any:
    return controller.delete(f"operations/reseatings/{made['reseating']}/")


def can_lock(who: Traveller, run: Departure, seat: str) -> bool:
    wish = {"departure": run.pk, "source": "AAA", "destination": "CCC", "seats": [seat]}
    held = who.post("reservations/lock/", wish)
    if held.status_code == 201:
        who.delete(f"reservations/holds/{held.json()['hold']}/")
    return bool(held.status_code == 201)


def test_nothing_moves_until_staff_confirm_and_then_all_agree(  # noqa: PLR0917  # fixtures
    anna: Traveller, bela: Traveller, controller: Traveller, buy: Buy, run: Departure, plan: Ask
) -> None:
    booking, other = buy(anna, "S1-1", "S1-2"), buy(bela, "S2-1")
    old = anna.get(f"tickets/{booking.pnr}/").json()
    made = plan()
    assert made["status"] == "proposed"
    assert len(made["lost"]) == 8
    new = {move["old"]: move["new"] for move in made["moves"]}
    assert set(new) == {"S1-1", "S1-2"}
    assert all(seat.startswith("S2-") and seat != "S2-1" for seat in new.values())
    assert detail(anna, booking)["seats"] == ["S1-1", "S1-2"]
    assert not can_lock(bela, run, "S1-5"), "lost seats are not sold any more"
    assert not can_lock(bela, run, new["S1-1"]), "nor those somebody is to move to"

    done = confirm(controller, made)
    assert (done.status_code, done.json()["status"]) == (200, "done"), done.content
    shown = detail(anna, booking)
    assert (sorted(shown["seats"]), shown["status"]) == (sorted(new.values()), "confirmed")
    assert shown["fare"] == {**shown["fare"], "amount": str(booking.fare)}
    assert not can_lock(bela, run, "S1-1")
    assert not can_lock(bela, run, new["S1-1"])
    assert detail(bela, other)["seats"] == ["S2-1"]
    while consume_pending():
        pass
    assert send_waiting() == 1
    assert mail.outbox[0].to == ["anna@example.org"]
    assert ", ".join(sorted(new.values())) in mail.outbox[0].body
    verify = controller.post("tickets/verify/", {"token": old["token"]}).json()
    assert verify["reason"] == "superseded"
    fact = OutboxEvent.objects.get(kind="booking.reseated")
    assert (fact.stage, fact.number, fact.subject) == (4, 2, booking.pnr)
    assert (sorted(fact.body["seats"]), fact.body["reason"]) == (
        sorted(new.values()), "S1 broke down"
    )  # fmt: skip
    assert TicketMail.objects.get(event_id=fact.event_id).booking == booking
    free = next(seat for seat in ("S2-7", "S2-8", "S2-6") if seat not in new.values())
    assert can_lock(bela, run, free)
    assert_invariants(run.pk)


def test_a_plan_that_is_dropped_leaves_no_trace(  # noqa: PLR0917  # fixtures
    anna: Traveller, bela: Traveller, controller: Traveller, buy: Buy, run: Departure, plan: Ask
) -> None:
    booking = buy(anna, "S1-1")
    path = f"operations/departures/{run.pk}/blocks/"
    controller.post(path, {"seats": ["S1-8"], "reason": "broken"})
    made = plan()
    assert plan(status=409)["state"] == "proposed"
    assert drop(controller, made).json()["status"] == "dropped"
    assert drop(controller, made).json()["state"] == "dropped"
    assert confirm(controller, made).json()["state"] == "dropped"
    assert can_lock(bela, run, "S1-5")
    assert can_lock(bela, run, made["moves"][0]["new"])
    assert not can_lock(bela, run, "S1-8"), "blocked before, and still"
    assert detail(anna, booking)["seats"] == ["S1-1"]
    assert controller.get(f"operations/reseatings/{made['reseating']}/").json()["ended_at"]
    told = OutboxEvent.objects.filter(kind="departure.changed", body__fields=["blocks"])
    assert told.count() == 3, "by staff, by the plan, by its drop"


def test_who_has_no_seat_in_the_other_vehicle_is_refunded_in_full(  # noqa: PLR0917  # fixtures
    anna: Traveller, bela: Traveller, controller: Traveller, buy: Buy, run: Departure, plan: Ask
) -> None:
    full = [f"S2-{number}" for number in range(1, 7)]
    buy(bela, *full)
    booking = buy(anna, "S1-1", "S1-2", "S1-3")
    made = plan()
    without = [move["old"] for move in made["moves"] if move["new"] is None]
    assert len(without) == 1
    assert confirm(controller, made).status_code == 200
    shown = detail(anna, booking)
    assert sorted(shown["seats"]) == ["S2-7", "S2-8"]
    given = shown["cancellation"]
    assert (given["rule"], given["seats"]) == ("no-seat", without)
    assert Refund.objects.get().amount == booking.fare / 3
    told = OutboxEvent.objects.filter(kind__startswith="staff.reseating-").order_by("id")
    counted = {"reason": "S1 broke down", "moved": 2, "without_seat": 1}
    assert [(each.kind, each.stage, each.body | counted == each.body) for each in told] == [
        ("staff.reseating-proposed", 1, True), ("staff.reseating-done", 1, True),
    ]  # fmt: skip
    assert_invariants(run.pk)


@pytest.mark.django_db
def test_a_smaller_vehicle_of_the_class_lacks_the_last_seats_another_class_all(
    anna: Traveller, buy: Buy, plan: Ask, controller: Traveller
) -> None:
    buy(anna, "S1-1", "S1-8")
    small = plan({"coach": "S1", "vehicle": "T-SL", "seats": 6})
    assert small["lost"] == ["S1-7", "S1-8"]
    assert [move["old"] for move in small["moves"]] == ["S1-8"]
    drop(controller, small)
    railway.template("T-CC", "CC", railway.CHAIR_ROW)
    chairs = plan({"coach": "S1", "vehicle": "T-CC"})
    assert len(chairs["lost"]) == 8
    drop(controller, chairs)
    assert "coaches" in plan({"coach": "S1", "vehicle": "T-SL"}, status=400)["errors"]
    swaps = ({"coach": "X9"}, {"coach": "S1", "vehicle": "bus"}, {"coach": "X8"})
    wrong = plan(*swaps, status=400)["errors"]
    assert set(wrong) == {"coaches.0.coach", "coaches.1.vehicle", "coaches.2.coach"}


@pytest.mark.django_db
def test_a_departure_or_a_plan_that_is_not_there_is_not_found(
    controller: Traveller, run: Departure
) -> None:
    body = {"coaches": [{"coach": "S1"}], "reason": "S1 broke down"}
    answers = [
        controller.post(f"operations/departures/{run.pk + 1}/reseatings/", body),
        controller.get("operations/reseatings/1/"),
        confirm(controller, {"reseating": 1}),
        drop(controller, {"reseating": 1}),
    ]
    assert [each.status_code for each in answers] == [404] * 4


@pytest.mark.django_db
def test_one_key_makes_one_plan(controller: Traveller, buy: Buy, run: Departure) -> None:
    path = f"operations/departures/{run.pk}/reseatings/"
    body = {"coaches": [{"coach": "S1"}], "reason": "S1 broke down"}
    first = controller.post(path, body, **{"Idempotency-Key": "k"})
    again = controller.post(path, body, **{"Idempotency-Key": "k"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert controller.post(path, body).status_code == 409


def test_a_booking_cancelled_meanwhile_does_not_move(
    anna: Traveller, controller: Traveller, buy: Buy, run: Departure, plan: Ask
) -> None:
    booking = buy(anna, "S1-1", "S1-2")
    made = plan()
    cancel(anna, booking, "S1-1")
    moved = {move["old"]: move["new"] for move in made["moves"]}
    assert confirm(controller, made).status_code == 200
    assert detail(anna, booking)["seats"] == [moved["S1-2"]]
    assert SeatBlock.objects.filter(departure=run).count() == 8, "the lost ones alone"
    told = OutboxEvent.objects.filter(kind="departure.changed", body__fields=["blocks"])
    assert told.count() == 2, "the plan, and what came of it"
    assert_invariants(run.pk)


def test_a_lost_seat_that_is_held_is_waited_for_and_one_bought_since_planned_anew(  # noqa: PLR0917  # fixtures
    anna: Traveller, bela: Traveller, controller: Traveller, buy: Buy, run: Departure, plan: Ask
) -> None:
    buy(anna, "S1-1")
    hold = lock(bela, run, "S1-4")["hold"]
    made = plan()
    assert confirm(controller, made).json()["state"] == "held"
    assert bela.post("reservations/confirm/", {"hold": hold}).status_code == 201, "P2"
    assert confirm(controller, made).json()["state"] == "outdated"
    drop(controller, made)
    again = plan()
    assert {move["old"] for move in again["moves"]} == {"S1-1", "S1-4"}
    assert confirm(controller, again).status_code == 200
    assert not BookedSeat.objects.filter(live=True, seat__coach__label="S1").exists()


def test_a_hold_that_is_confirmed_between_the_two_looks_is_seen(  # noqa: PLR0917  # fixtures
    anna: Traveller, bela: Traveller, controller: Traveller, buy: Buy, run: Departure, plan: Ask,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    buy(anna, "S1-1")
    hold = lock(bela, run, "S1-4")["hold"]
    made = plan()
    real = store.read_images
    confirmed: list[int] = []

    def looks(*args: Any, **more: Any) -> Any:
        if not confirmed and more.get("members"):
            confirmed.append(bela.post("reservations/confirm/", {"hold": hold}).status_code)
        return real(*args, **more)

    monkeypatch.setattr(store, "read_images", looks)
    assert confirm(controller, made).json()["state"] == "outdated"
    assert confirmed == [201]


@pytest.mark.django_db
def test_parties_stay_together_largest_first_and_nobody_shares_a_leg(run: Departure) -> None:
    train = plan_of(run.pk).train
    taken = no_words(train)
    taken[:8] = 2**32 - 1
    parties = [
        Party(booking=1, stretch=Stretch(0, 2), ordinals=(0,)),
        Party(booking=2, stretch=Stretch(0, 4), ordinals=(1, 2, 3, 4)),
        Party(booking=3, stretch=Stretch(2, 4), ordinals=(0, 5)),
    ]
    moves = reseat(train, taken, parties)
    assert moves == reseat(train, taken, parties), "the same each time"
    assert [move.booking for move in moves][:4] == [2] * 4
    bays = {int(train.numbers[move.new] - 1) // 4 for move in moves if move.booking == 2}
    assert len(bays) == 1
    legs = [
        (move.new, leg)
        for move in moves
        for party in parties
        if party.booking == move.booking
        for leg in range(party.stretch.from_stop, party.stretch.to_stop)
    ]
    assert len(set(legs)) == len(legs)
    assert all(move.new is not None and move.new >= 8 for move in moves)
    assert not np.shares_memory(taken, no_words(train))


@pytest.mark.django_db
@pytest.mark.parametrize(("before", "move"), list(product(Reseating.State, ("confirm", "drop"))))
def test_plans_move_as_the_table_says(  # noqa: PLR0917  # fixtures
    anna: Traveller, controller: Traveller, buy: Buy, plan: Ask, before: str, move: str
) -> None:
    """Proposed goes to done or dropped; both are ends."""
    buy(anna, "S1-1")
    made = plan()
    if before != "proposed":
        Reseating.objects.update(state=before)
    answer = {"confirm": confirm, "drop": drop}[move](controller, made)
    after = {"confirm": "done", "drop": "dropped"}[move] if before == "proposed" else before
    assert answer.status_code == (200 if before == "proposed" else 409)
    assert Reseating.objects.get().state == after

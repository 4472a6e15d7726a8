"""Processes that are killed, gateways that are away, and rivals, while seats are given back."""

import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from config import clock
from config.embedded.places import CHECKOUT
from config.outbox.consumers import consume_pending
from config.outbox.models import OutboxEvent
from reservations.errors import IllegalState
from reservations.holds import store
from reservations.models import BookedSeat, Booking, Cancellation
from reservations.payments.models import Payment, Refund, SandboxRefund
from reservations.services import cancel_booking as cancelling
from reservations.services.cancel_booking import cancel_booking
from reservations.waitlist.models import Entry
from reservations.waitlist.services.tend_waitlists import tend_waitlists
from tests.cancellation.conftest import Buy, cancel, detail
from tests.engine import Traveller
from tests.invariants import assert_invariants
from tests.payments.paying import refunds_go_out
from tests.reservations.test_booking_statement import until_somebody_waits
from tests.web import test_database_url as database_url
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)

KILLED = """
import os, signal, sys
import django
django.setup()
from reservations.payments.services import send_refunds
from reservations.services import cancel_booking as cancelling

point, owner, pnr = sys.argv[1:]

def dies(*args, **more):
    os.kill(os.getpid(), signal.SIGKILL)

module, name = {
    "before COMMIT": (cancelling, "append"),
    "before the refresh": (cancelling, "free_seats"),
    "before the gateway is asked": (send_refunds, "gateway"),
    "before its answer is kept": (send_refunds, "record_refund"),
}[point]
setattr(module, name, dies)
cancelling.cancel_booking(actor=int(owner), as_staff=False, pnr=pnr)
send_refunds.send_refunds()
"""


def killed(point: str, booking: Booking) -> None:
    """A process cancels, and sends the refund, until it is killed at that point."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED, point, str(booking.owner_id), str(booking.pnr)],
        cwd=CHECKOUT,
        env={
            **os.environ,
            "DATABASE_URL": database_url(),
            "DJANGO_SETTINGS_MODULE": "config.settings",
        },
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr[-2000:]


def seats_sold(run: Departure) -> bool:
    return any(store.read_images([run.pk])[0].sold)


def test_killed_before_commit_nothing_was_cancelled(
    anna: Traveller, buy: Buy, run: Departure
) -> None:
    booking = buy(anna)
    killed("before COMMIT", booking)
    assert detail(anna, booking)["status"] == "confirmed"
    assert not Refund.objects.exists()
    assert not Cancellation.objects.exists()
    assert seats_sold(run)
    assert cancel(anna, booking).status_code == 200
    assert_invariants(run.pk)


def test_killed_between_cancel_and_refund_the_seat_comes_free_and_the_money_goes_back(
    anna: Traveller, buy: Buy, run: Departure
) -> None:
    booking = buy(anna)
    killed("before the refresh", booking)
    assert detail(anna, booking)["cancellation"]["refund"]["status"] == "due"
    assert seats_sold(run)
    while consume_pending():
        pass
    assert not seats_sold(run)
    refunds_go_out()
    assert SandboxRefund.objects.get().amount == booking.fare
    assert detail(anna, booking)["cancellation"]["refund"]["status"] == "done"
    assert_invariants(run.pk)


def test_a_cancel_sent_again_shows_the_seat_as_free_if_the_first_could_not(
    anna: Traveller, buy: Buy, run: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking = buy(anna)
    with monkeypatch.context() as cut:
        cut.setattr(cancelling, "free_seats", lambda **_: None)
        assert cancel(anna, booking).status_code == 200
    assert seats_sold(run)
    assert cancel(anna, booking).status_code == 409
    assert not seats_sold(run)


def test_the_end_of_a_booking_shows_all_its_seats_as_free_whatever_was_not_shown_before(
    anna: Traveller, buy: Buy, run: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking = buy(anna, "S1-1", "S1-2")
    with monkeypatch.context() as cut:
        cut.setattr(cancelling, "free_seats", lambda **_: None)
        assert cancel(anna, booking, "S1-1").status_code == 200
    assert cancel(anna, booking).status_code == 200
    assert not seats_sold(run)


@pytest.mark.parametrize("point", ["before the gateway is asked", "before its answer is kept"])
def test_killed_around_the_gateway_money_goes_back_once(
    anna: Traveller, buy: Buy, point: str
) -> None:
    booking = buy(anna)
    killed(point, booking)
    assert Refund.objects.get().state == "due"
    refunds_go_out()
    assert Refund.objects.get().attempts == 1, "not before its waiting time is over"
    with clock.moved(timedelta(seconds=11)):
        refunds_go_out()
    assert Refund.objects.get().state == "done"
    assert SandboxRefund.objects.get().amount == booking.fare


@pytest.mark.django_db
def test_a_refund_the_gateway_refuses_is_for_staff_to_send_again(
    anna: Traveller, controller: Traveller, buy: Buy
) -> None:
    booking = buy(anna, method="refund-refused")
    cancel(anna, booking)
    refunds_go_out()
    assert detail(anna, booking)["cancellation"]["refund"]["status"] == "failed"
    retry = f"operations/refunds/{Refund.objects.get().pk}/retry/"
    assert controller.post(retry, {"reason": "the account is open"}).status_code == 200
    assert detail(anna, booking)["cancellation"]["refund"]["status"] == "due"


def test_two_cancels_at_once_give_back_once(anna: Traveller, buy: Buy) -> None:
    """The first has cancelled and owes, and not committed; the second waits, and is refused."""
    booking = buy(anna)
    said: list[object] = []

    def again() -> Any:
        return cancel_booking(actor=anna.user.pk, as_staff=False, pnr=str(booking.pnr))

    def second() -> None:
        try:
            said.append(again())
        except IllegalState as refused:
            said.append(refused)
        connection.close()

    thread = threading.Thread(target=second)
    with transaction.atomic():
        again()
        thread.start()
        until_somebody_waits()
    thread.join(20)
    assert isinstance(said[0], IllegalState)
    refunds_go_out()
    assert SandboxRefund.objects.get().amount == booking.fare
    assert Payment.objects.get().state == "refunded"


def test_a_whole_cancel_and_a_seats_cancel_at_once_owe_no_more_than_was_paid(
    anna: Traveller, buy: Buy
) -> None:
    booking = buy(anna, "S1-1", "S1-2")
    said: list[int] = []

    def second() -> None:
        said.append(cancel(anna, booking).status_code)
        connection.close()

    thread = threading.Thread(target=second)
    with transaction.atomic():
        cancel_booking(actor=anna.user.pk, as_staff=False, pnr=str(booking.pnr), seats=["S1-1"])
        thread.start()
        until_somebody_waits()
    thread.join(20)
    assert said == [200]
    refunds = [(each.rule, each.refund) for each in Cancellation.objects.order_by("pk")]
    assert refunds == [("full", booking.fare / 2)] * 2
    assert sum(each.amount for each in Refund.objects.all()) == booking.fare


def test_a_cancel_while_an_offer_is_made_serves_each_seat_once_and_in_order(  # noqa: PLR0917  # fixtures
    anna: Traveller, bela: Traveller, controller: Traveller, buy: Buy, run: Departure,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Two wait for two seats each. While the first is served, the seats of the second come free.

    first cancel, serve: look ... (second cancel commits, serves too) ... lock for the first
    """
    first = buy(anna, "C1-1", "C1-2")
    second = buy(anna, "C1-3", "C1-4")
    buy(anna, "C1-5", "C1-6", "C1-7", "C1-8")
    wish = {"departure": run.pk, "source": "AAA", "destination": "CCC", "travel_class": "CC"}
    for who in (bela, controller):
        assert who.post("reservations/waitlist/", {**wish, "count": 2}).status_code == 201
    real = store.lock
    done: list[bool] = []

    def lock(*args: Any, **more: Any) -> Any:
        if not done:
            done.append(True)
            assert cancel(anna, second).status_code == 200
            tend_waitlists()
        return real(*args, **more)

    monkeypatch.setattr(store, "lock", lock)
    assert cancel(anna, first).status_code == 200
    while consume_pending():
        pass
    tend_waitlists()
    entries = list(Entry.objects.order_by("pk"))
    assert [entry.state for entry in entries] == ["offered", "offered"]
    seats = [seat for entry in entries for seat in entry.seat_ids]
    assert len(set(seats)) == 4
    assert [entry.offers for entry in entries] == [1, 1]
    stranger = anna.post("reservations/lock/", {**wish, "count": 1})
    assert stranger.status_code == 409, "all is offered"
    for who in (bela, controller):
        hold = who.get("reservations/holds/").json()["results"][0]["hold"]
        assert who.post("reservations/confirm/", {"hold": hold}).status_code == 201
    live = BookedSeat.objects.filter(live=True, booking__departure=run)
    assert live.count() == live.values("seat").distinct().count() == 8
    assert_invariants(run.pk)


def test_one_seat_given_back_serves_who_waits_for_one(
    anna: Traveller, bela: Traveller, buy: Buy, run: Departure
) -> None:
    booking = buy(anna, *(f"C1-{number}" for number in range(1, 7)))
    buy(anna, "C1-7", "C1-8")
    wish = {"departure": run.pk, "source": "AAA", "destination": "CCC", "travel_class": "CC"}
    assert bela.post("reservations/waitlist/", {**wish, "count": 1}).status_code == 201
    assert cancel(anna, booking, "C1-3").status_code == 200
    assert anna.post("reservations/lock/", {**wish, "count": 1}).status_code == 409, "kept"
    while consume_pending():
        pass
    entry = Entry.objects.get()
    assert entry.state == "offered"
    assert OutboxEvent.objects.filter(kind="waitlist.offered").exists()

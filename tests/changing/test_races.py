"""Rivals between the steps of a change, and servers that die there: nobody has neither, nobody
both, and a seat has one owner.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError, connections

from config.outbox.consumers import consume_pending
from reservations.bookings import exchange as exchanging
from reservations.bookings.exchange import Exchange
from reservations.holds import store
from reservations.models import Booking
from reservations.services import change_booking
from reservations.services.claim_hold import claim_hold
from reservations.services.expire_holds import expire_holds
from tests.changing.conftest import (
    between,
    book,
    book_paid,
    change,
    changed,
    free,
    seats_of,
)
from tests.engine import Traveller
from tests.invariants import assert_invariants
from tests.payments.paying import lock
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)
Time = Callable[[float], AbstractContextManager[None]]


class Died(BaseException):
    """The server's process is gone; nothing after this point runs."""


def dies(*_: Any, **__: Any) -> Any:
    raise Died


def consume() -> None:
    while consume_pending():
        pass


def wish(departure: Departure, *seats: str) -> dict[str, Any]:
    return {"departure": departure.pk, "source": "AAA", "destination": "CCC", "seats": list(seats)}


def test_a_rival_gets_neither_the_old_nor_the_new_seats_before_the_commit(
    anna: Traveller, bela: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    pnr = book(anna, departure, "S1-1")
    answers: list[int] = []

    def rival() -> None:
        locks = [bela.post("reservations/lock/", wish(departure, f"S1-{n}")) for n in (1, 2)]
        answers.extend(each.status_code for each in locks)

    between(monkeypatch, rival)
    changed(anna, pnr, seats=["S1-2"])
    assert answers == [409, 409]
    assert lock(bela, departure, "S1-1")["seats"] == ["S1-1"]
    assert_invariants(departure.pk)


def test_without_the_pin_a_change_that_stalls_loses_its_new_seat(
    anna: Traveller,
    bela: Traveller,
    departure: Departure,
    time_passes: Time,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Held, but not pinned: it runs out meanwhile, a rival books it; the old seat stays hers."""
    pnr = book(anna, departure, "S1-1")

    def stalled(*args: Any) -> Any:
        with time_passes(200):
            expire_holds()
            book(bela, departure, "S1-2")
            return claim_hold(*args)

    monkeypatch.setattr(change_booking, "claim_hold", stalled)
    assert change(anna, pnr, seats=["S1-2"]).status_code == 410
    assert seats_of(pnr) == ["S1-1"]
    assert_invariants(departure.pk)


@pytest.mark.parametrize("paid", [False, True])
def test_a_cancel_that_was_faster_ends_the_change(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch, paid: bool
) -> None:
    pnr = (book_paid if paid else book)(anna, departure, "S1-1")
    path = f"reservations/bookings/{pnr}/cancel/"
    between(monkeypatch, lambda: anna.post(path))
    refused = change(anna, pnr, seats=["S1-2"])
    assert (refused.status_code, refused.json()["state"]) == (409, "cancelled")
    assert seats_of(pnr) == []
    assert free(anna, departure, "S1-1", "S1-2") == [True, True]
    consume()
    assert_invariants(departure.pk, at_rest=True)


def cancelled_while_it_changes(
    anna: Traveller, pnr: str, monkeypatch: pytest.MonkeyPatch
) -> list[int]:
    """The cancel comes between the look at the booking and what is written of it."""
    rivals: list[Thread] = []
    answers: list[int] = []

    def cancel() -> None:
        answers.append(anna.post(f"reservations/bookings/{pnr}/cancel/").status_code)
        connections.close_all()

    real = exchanging._refuse_if_stale

    def looked(booking: Booking, new: Exchange) -> None:
        real(booking, new)
        if not rivals:
            rivals.append(Thread(target=cancel))
            rivals[0].start()
            rivals[0].join(0.7)  # with the lock it waits for us

    monkeypatch.setattr(exchanging, "_refuse_if_stale", looked)
    answers.append(change(anna, pnr, seats=["S1-2"]).status_code)
    rivals[0].join(30)
    return sorted(answers)


def test_a_cancel_that_comes_later_cancels_the_new_seats(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    pnr = book(anna, departure, "S1-1")
    assert cancelled_while_it_changes(anna, pnr, monkeypatch) == [200, 200]
    assert seats_of(pnr) == []
    consume()
    assert_invariants(departure.pk, at_rest=True)


def test_without_the_booking_s_lock_a_cancelled_booking_keeps_a_seat(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    pnr = book(anna, departure, "S1-1")

    class Unlocked:
        objects = SimpleNamespace(select_for_update=Booking.objects.all)
        Status = Booking.Status

    monkeypatch.setattr(exchanging, "Booking", Unlocked)
    assert cancelled_while_it_changes(anna, pnr, monkeypatch) == [200, 200]
    assert seats_of(pnr) == ["S1-2"]
    with pytest.raises(AssertionError):
        assert_invariants(departure.pk)


def test_of_two_changes_of_the_same_seat_one_is_made(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    pnr = book(anna, departure, "S1-1", "S1-2")
    answers: list[int] = []

    def other() -> None:
        made = change(anna, pnr, seats=["S1-7"], instead_of=["S1-1"])
        answers.append(made.status_code)

    between(monkeypatch, other)
    answers.append(change(anna, pnr, seats=["S1-8"], instead_of=["S1-1"]).status_code)
    assert answers == [200, 409]
    assert seats_of(pnr) == ["S1-2", "S1-7"]
    assert free(anna, departure, "S1-1", "S1-8") == [True, True]
    consume()
    assert_invariants(departure.pk, at_rest=True)


def test_two_changes_of_different_seats_are_both_made(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    pnr = book(anna, departure, "S1-1", "S1-2")
    between(monkeypatch, lambda: changed(anna, pnr, seats=["S1-7"], instead_of=["S1-1"]))
    changed(anna, pnr, seats=["S1-8"], instead_of=["S1-2"])
    assert seats_of(pnr) == ["S1-7", "S1-8"]
    assert Booking.objects.get(pnr=pnr).revision == 3


def test_a_crash_before_commit_keeps_the_old_and_frees_the_new(
    anna: Traveller, departure: Departure, time_passes: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    pnr = book(anna, departure, "S1-1")
    with monkeypatch.context() as dying:
        dying.setattr(change_booking, "exchange", dies)
        with pytest.raises(Died):
            change(anna, pnr, seats=["S1-2"])
    assert free(anna, departure, "S1-1", "S1-2") == [False, False]
    with time_passes(300):
        expire_holds()
        assert free(anna, departure, "S1-1", "S1-2") == [False, True]
        assert seats_of(pnr) == ["S1-1"]
        assert_invariants(departure.pk)


def test_an_answer_of_commit_that_is_lost_is_not_a_no(
    anna: Traveller, departure: Departure, time_passes: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    pnr = book(anna, departure, "S1-1")

    def lost(new: Exchange) -> Any:
        raise OperationalError("the connection died")

    with monkeypatch.context() as dying:
        dying.setattr(change_booking, "exchange", lost)
        assert change(anna, pnr, seats=["S1-2"]).status_code == 503
    (held,) = store.holds_of(anna.user.pk)
    assert held[1].pinned, "somebody may have committed: the seat is kept"


@pytest.mark.parametrize("who", ["outbox", "sweep"])
def test_a_crash_after_commit_is_made_good(  # noqa: PLR0917  # fixtures
    anna: Traveller,
    bela: Traveller,
    departure: Departure,
    tomorrow: Departure,
    time_passes: Time,
    monkeypatch: pytest.MonkeyPatch,
    who: str,
) -> None:
    """The new seats are never free; the old are, once the outbox comes."""
    pnr = book(anna, departure, "S1-1")
    with monkeypatch.context() as dying:
        dying.setattr(change_booking, "_settle", dies)
        with pytest.raises(Died):
            change(anna, pnr, departure=tomorrow.pk, seats=["S1-2"])
    assert seats_of(pnr) == ["S1-2"]
    refused = bela.post("reservations/lock/", wish(tomorrow, "S1-2"))
    assert refused.status_code == 409
    if who == "outbox":
        consume()
        assert lock(bela, departure, "S1-1")["seats"] == ["S1-1"]
    with time_passes(300 if who == "sweep" else 0):
        expire_holds()
        refused = bela.post("reservations/lock/", wish(tomorrow, "S1-2"))
        assert refused.status_code == 409, "the sweep asked by writing, and found the booking"
        (image,) = store.read_images([tomorrow.pk], members=True)
        assert image.members == ()
    consume()
    assert_invariants(departure.pk, tomorrow.pk)


def test_without_the_name_on_the_void_row_the_sweep_frees_a_sold_seat(
    anna: Traveller,
    bela: Traveller,
    departure: Departure,
    time_passes: Time,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pnr = book(anna, departure, "S1-1")
    with monkeypatch.context() as dying:
        dying.setattr(change_booking, "_settle", dies)
        with pytest.raises(Died):
            change(anna, pnr, seats=["S1-2"])
    Booking.objects.filter(status="void").update(became=None)
    with time_passes(300):
        expire_holds()
        taken = bela.post("reservations/lock/", wish(departure, "S1-2"))
        assert taken.status_code == 201, "a hold on a seat that is sold"

"""A store says no, forgets, deadlocks or is away in the middle of a change: the old seats stay."""

from typing import Any

import pytest
from django.db import OperationalError
from psycopg import errors as pg

from config.outbox.consumers import consume_pending
from config.stores import keys
from config.stores.redis import HoldsStore, HoldsStoreAway, holds_store
from reservations.bookings import exchange as exchanging
from reservations.bookings.exchange import Exchange
from reservations.bookings.insert import DEADLOCKS_FORGIVEN
from reservations.bookings.tombstone import bury
from reservations.holds import ids, store
from reservations.models import BookedSeat
from reservations.services import change_booking, refresh_image
from reservations.services.charge_difference import How, charge_difference
from reservations.services.claim_hold import claim_hold
from reservations.services.hold_seats import Owner
from tests.changing.conftest import between, book, book_paid, change, changed, free, seats_of
from tests.engine import Traveller
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)


def images_keep_changing(monkeypatch: pytest.MonkeyPatch) -> None:
    """No refresh comes to its end: at each try somebody was faster."""
    monkeypatch.setattr(refresh_image, "ATTEMPTS", 0)


def _seat(departure: Departure, number: int) -> int:
    coach = departure.train.coaches.get(label="S1")
    return int(coach.seats.get(number=number).pk)


@pytest.mark.parametrize("is_told", [True, False])
def test_a_seat_that_postgresql_gave_to_another_leaves_the_old_ones(
    anna: Traveller,
    bela: Traveller,
    departure: Departure,
    monkeypatch: pytest.MonkeyPatch,
    is_told: bool,
) -> None:
    """A booking Redis does not know of has the new seat: P1 says no, and all stays as it was, also
    where the image cannot be told.
    """
    pnr, other = book(anna, departure, "S1-1"), book(bela, departure, "S1-5")

    def rival() -> None:
        row = BookedSeat.objects.get(booking__pnr=other)
        row.pk, row.seat_id = None, _seat(departure, 2)
        row.save(force_insert=True)
        if not is_told:
            images_keep_changing(monkeypatch)

    between(monkeypatch, rival)
    refused = change(anna, pnr, seats=["S1-2"])
    assert (refused.status_code, refused.json()["code"]) == (409, "seat-already-booked")
    assert seats_of(pnr) == ["S1-1"]
    assert store.holds_of(anna.user.pk) == []
    assert free(bela, departure, "S1-1", "S1-2") == [False, not is_told]


@pytest.mark.parametrize("is_told", [True, False])
def test_new_seats_are_sold_at_once_also_where_redis_forgot_their_hold(
    anna: Traveller,
    bela: Traveller,
    departure: Departure,
    monkeypatch: pytest.MonkeyPatch,
    is_told: bool,
) -> None:
    """Their image was loaded again before the COMMIT; what could not be told, the outbox tells."""
    pnr = book(anna, departure, "S1-1")

    def forgets() -> None:
        holds_store().flushall()
        assert free(bela, departure, "S1-2") == [True]
        if not is_told:
            images_keep_changing(monkeypatch)

    between(monkeypatch, forgets)
    changed(anna, pnr, seats=["S1-2"])
    assert free(bela, departure, "S1-1", "S1-2") == ([True, False] if is_told else [False, True])
    monkeypatch.undo()
    while consume_pending():
        pass
    assert free(bela, departure, "S1-1", "S1-2") == [True, False]


def test_without_redis_nothing_is_changed(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hold's capability would do for a confirm; who changes has seats, and can wait."""
    pnr = book(anna, departure, "S1-1")

    def away(self: HoldsStore, call: Any) -> Any:
        raise HoldsStoreAway("cut off")

    def cut_off(*args: Any) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(HoldsStore, "guarded", away)
            return claim_hold(*args)

    monkeypatch.setattr(change_booking, "claim_hold", cut_off)
    refused = change(anna, pnr, seats=["S1-2"])
    assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    assert (seats_of(pnr), free(anna, departure, "S1-2")) == (["S1-1"], [False])


@pytest.mark.parametrize("forgotten", [False, True])
def test_a_hold_that_was_buried_takes_no_seats_and_its_end_is_told_once(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch, forgotten: bool
) -> None:
    """Who buried it died before its seats were free; or told its end, and Redis forgot both."""
    pnr = book(anna, departure, "S1-1")

    def buried(ref: ids.HoldRef, *args: Any) -> Any:
        bury([ref])
        if forgotten:
            holds_store().flushall()
        return claim_hold(ref, *args)

    monkeypatch.setattr(change_booking, "claim_hold", buried)
    assert change(anna, pnr, seats=["S1-2"]).status_code == 410
    assert (seats_of(pnr), free(anna, departure, "S1-2")) == (["S1-1"], [True])
    entries: Any = holds_store().xrange(keys.audit(keys.shard(departure.pk)))
    told = [fields[b"kind"] for _, fields in entries]
    assert told.count(b"hold.expired") == (0 if forgotten else 1)


def test_a_change_whose_hold_is_being_confirmed_is_not_charged_and_says_so(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    pnr = book_paid(anna, departure, "S1-1")

    def pinned(owner: Owner, new: Exchange, how: How) -> Any:
        assert claim_hold(ids.read(new.member.hold), owner, None)
        return charge_difference(owner, new, how)

    monkeypatch.setattr(change_booking, "charge_difference", pinned)
    refused = change(anna, pnr, seats=["C1-2"])
    assert (refused.status_code, refused.json()["state"]) == (409, "confirming")


def test_a_deadlock_is_tried_again_a_few_times_and_nothing_else_is(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    pnr, errors, calls = book(anna, departure, "S1-1"), list[Exception](), 0

    def exchange(new: Exchange) -> Any:
        nonlocal calls
        calls += 1
        if errors:
            raise OperationalError from errors.pop(0)
        return exchanging.exchange(new)

    monkeypatch.setattr(change_booking, "exchange", exchange)
    errors[:] = [pg.DeadlockDetected()] * DEADLOCKS_FORGIVEN
    changed(anna, pnr, seats=["S1-2"])
    assert (seats_of(pnr), calls) == (["S1-2"], DEADLOCKS_FORGIVEN + 1)
    errors[:] = [pg.AdminShutdown(), pg.DeadlockDetected()]
    assert change(anna, pnr, seats=["S1-3"]).status_code == 503
    assert len(errors) == 1, "it was not tried again"
    errors[:] = [pg.DeadlockDetected()] * 100
    assert change(anna, pnr, seats=["S1-4"]).status_code == 503
    assert len(errors) == 100 - DEADLOCKS_FORGIVEN - 1

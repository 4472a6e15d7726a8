"""The booking statement's verdicts, one by one, and what is tried again."""

import threading
import time
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from psycopg import errors as pg

from config import clock
from config.errors import NotFound
from config.idempotency.models import IdempotencyKey
from config.outbox.models import OutboxEvent
from reservations.bookings import insert
from reservations.bookings.insert import Verdict, insert_booking
from reservations.bookings.tombstone import bury
from reservations.errors import IllegalState
from reservations.holds import ids, store
from reservations.models import BookedSeat, Booking
from reservations.services import confirm_booking
from reservations.services.cancel_booking import cancel_booking
from reservations.services.refresh_image import refresh_seats
from tests.availability import railway
from tests.engine import Traveller
from tests.promises.test_p1_never_sold_twice import new_booking
from tests.promises.test_p2_holds_exclude import lock
from tests.reservations.test_bookings import book
from tests.reservations.test_hold_seats import wish
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)


def changed(new: insert.NewBooking, **fields: Any) -> insert.NewBooking:
    return insert.NewBooking(**{**vars(new), **fields})


def test_a_hold_that_is_booked_is_known_and_changes_nothing(
    anna: Traveller, departure: Departure
) -> None:
    new = new_booking(anna, departure, (0, 4), 0)
    assert insert_booking(new) is Verdict.BOOKED
    again = changed(new, pnr="AAAAAAAAAA", seats=[new.seats[0] + 1])
    assert insert_booking(again) is Verdict.HOLD_KNOWN
    assert Booking.objects.get().pnr == new.pnr
    assert BookedSeat.objects.count() == OutboxEvent.objects.count() == 1


def test_a_seat_is_sold_once_on_each_departure(anna: Traveller, departure: Departure) -> None:
    other = railway.departure(departure.train, days_ahead=9)
    for day in (departure, other):
        assert insert_booking(new_booking(anna, day, (0, 4), 0)) is Verdict.BOOKED
        assert insert_booking(new_booking(anna, day, (0, 4), 0)) is Verdict.SEAT_TAKEN


def test_a_buried_hold_is_known(anna: Traveller, departure: Departure) -> None:
    hold = ids.mint(departure=departure.id, user=anna.user.id)
    assert bury([ids.read(hold)]) == {}
    assert bury([ids.read(hold)]) == {}
    new = changed(new_booking(anna, departure, (0, 4), 0), hold=hold)
    assert insert_booking(new) is Verdict.HOLD_KNOWN
    assert BookedSeat.objects.count() == 0


def test_a_booking_refuses_to_be_buried_also_when_it_was_cancelled(
    anna: Traveller, departure: Departure
) -> None:
    booked = book(anna, departure, "S1-1")
    row = Booking.objects.get()
    ref = ids.read(booked["hold"])
    assert bury([ref]) == {ref.hold: row.pk}
    anna.post(f"reservations/bookings/{booked['pnr']}/cancel/")
    assert bury([ref]) == {ref.hold: row.pk}
    assert Booking.objects.get().status == Booking.Status.CANCELLED


def test_a_pnr_in_use_is_told_and_drawn_again(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = book(anna, departure, "S1-1")["pnr"]
    new = changed(new_booking(anna, departure, (0, 4), 5), pnr=used)
    assert insert_booking(new) is Verdict.PNR_KNOWN
    drawn = iter([used, used, "AAAAAAAAAA"])
    monkeypatch.setattr(confirm_booking, "new_pnr", lambda: next(drawn))
    assert book(anna, departure, "S1-2")["pnr"] == "AAAAAAAAAA"


def test_a_key_in_use_is_told(anna: Traveller, departure: Departure) -> None:
    keyed = {"key": "k", "fingerprint": "f", "answer": b"{}"}
    first = changed(new_booking(anna, departure, (0, 4), 0), **keyed)
    second = changed(new_booking(anna, departure, (0, 4), 1), **keyed)
    assert (insert_booking(first), insert_booking(second)) == (Verdict.BOOKED, Verdict.KEY_KNOWN)
    assert IdempotencyKey.objects.count() == Booking.objects.count() == 1


def test_another_broken_rule_of_the_tables_is_an_error(
    anna: Traveller, departure: Departure
) -> None:
    with pytest.raises(IntegrityError):
        insert_booking(changed(new_booking(anna, departure, (0, 4), 0), departure=-1))


def error_of(cause: Exception) -> OperationalError:
    error = OperationalError(str(cause))
    error.__cause__ = cause
    return error


def test_a_deadlock_is_tried_again_a_few_times_and_nothing_else_is(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    new, real, calls = new_booking(anna, departure, (0, 4), 0), insert._run, 0
    errors: list[Exception] = []

    def run(bookings: Any) -> Any:
        nonlocal calls
        calls += 1
        if errors:
            raise error_of(errors.pop(0))
        return real(bookings)

    monkeypatch.setattr(insert, "_run", run)
    errors[:] = [pg.DeadlockDetected()]
    assert (insert_booking(new), calls) == (Verdict.BOOKED, 2)
    errors[:] = [pg.AdminShutdown(), pg.DeadlockDetected()]
    with pytest.raises(OperationalError):
        insert_booking(new)
    assert len(errors) == 1, "it was not tried again"
    errors[:] = [pg.DeadlockDetected()] * 100
    with pytest.raises(OperationalError):
        insert_booking(new)
    assert len(errors) > 90


def test_each_passenger_keeps_the_seat(anna: Traveller, departure: Departure) -> None:
    new = new_booking(anna, departure, (0, 4), 0, 1, 2)
    seats = [new.seats[2], new.seats[0], new.seats[1]]
    people = [{"name": name} for name in ("Anna", "Béla", "Cili")]
    insert_booking(changed(new, seats=seats, passengers=people))
    rows = list(BookedSeat.objects.order_by("pk"))
    assert [row.seat_id for row in rows] == sorted(seats), "in sorted order: no deadlocks"
    named = {row.seat_id: (row.passenger or {})["name"] for row in rows}
    assert named == dict(zip(seats, ("Anna", "Béla", "Cili"), strict=True))


def test_the_fact_is_written_with_the_booking_and_waits_for_its_readers(
    anna: Traveller, departure: Departure
) -> None:
    new = new_booking(anna, departure, (0, 4), 0)
    insert_booking(new)
    fact = OutboxEvent.objects.get()
    assert (fact.event_id, fact.kind) == (f"{new.hold}:confirmed", "booking.confirmed")
    assert (fact.shipped_at, fact.consumed_at) == (None, None)
    assert Booking.objects.get().fare == Decimal("100.00")


# Cancel


def cancel(traveller: Traveller, pnr: str, **more: Any) -> Any:
    return cancel_booking(actor=traveller.user.id, as_staff=False, pnr=pnr, **more)


def test_a_cancel_that_is_rolled_back_frees_nothing(anna: Traveller, departure: Departure) -> None:
    pnr = book(anna, departure, "S1-1")["pnr"]

    def cancelled_and_rolled_back() -> None:
        with transaction.atomic():
            cancel(anna, pnr)
            # Under the row as others see it: sold. A refresh now would say free.
            assert store.read_images([departure.id])[0].sold == before
            raise InterruptedError

    before = store.read_images([departure.id])[0].sold
    assert any(before)
    with pytest.raises(InterruptedError):
        cancelled_and_rolled_back()
    assert lock(anna, departure, "S1-1") == 409
    assert OutboxEvent.objects.filter(kind="booking.cancelled").count() == 0


def test_two_cancels_at_once_are_one(anna: Traveller, departure: Departure) -> None:
    """The first has cancelled and not committed; the second waits for it, and is refused."""
    pnr = book(anna, departure, "S1-1")["pnr"]
    said: list[object] = []

    def second() -> None:
        try:
            said.append(cancel(anna, pnr))
        except IllegalState as refused:
            said.append(refused)
        connection.close()

    thread = threading.Thread(target=second)
    with transaction.atomic():
        cancel(anna, pnr)
        thread.start()
        until_somebody_waits()
    thread.join(20)
    assert isinstance(said[0], IllegalState)


def until_somebody_waits() -> None:
    """Another session waits for a lock, or went on without one."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            if cursor.fetchone()[0]:
                return


def test_p6_a_booking_of_another_is_not_cancelled_and_its_seats_are_named_in_full(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    pnr = book(anna, departure, "S1-1", "S1-2")["pnr"]
    with pytest.raises(NotFound):
        cancel(bela, pnr)
    assert cancel(anna, pnr, seats=["S1-2", "S1-1"]).status == "cancelled"
    row = Booking.objects.get()
    assert row.cancelled_at is not None
    assert clock.now() >= row.cancelled_at
    assert OutboxEvent.objects.get(kind="booking.cancelled").consumed_at is None


# Refresh


def test_rule_7_rows_are_read_after_the_words(
    anna: Traveller, bela: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A booking that comes just before step a is in its words, so it must be in the rows too.

    refresh   ...................... a (words) .. b (rows) .. c
    bela           lock, confirm
    """
    lock(anna, departure, "S1-2")
    real = store.refresh_begin
    done: list[bool] = []

    def begin(*args: Any, **kwargs: Any) -> Any:
        if not done:
            done.append(True)
            book(bela, departure, "S1-1")
        return real(*args, **kwargs)

    monkeypatch.setattr(store, "refresh_begin", begin)
    seats = [new.pk for new in departure.train.seats.all()]
    refresh_seats(departure=departure.id, seat_ids=seats)
    assert lock(anna, departure, "S1-1") == 409


def test_rule_7_a_refresh_of_one_seat_leaves_the_others_as_they_are(
    anna: Traveller, departure: Departure
) -> None:
    """Also where the image is wrong: it was asked about one seat."""
    first = anna.post("reservations/lock/", wish(departure, "S1-1")).json()["hold"]
    store.settle(ids.read(first))  # sold bits that are in no row
    seats = [new.pk for new in departure.train.seats.order_by("ordinal")]
    refresh_seats(departure=departure.id, seat_ids=seats[1:2])
    assert lock(anna, departure, "S1-1") == 409
    refresh_seats(departure=departure.id, seat_ids=seats[:1])
    assert lock(anna, departure, "S1-1") == 201

"""Confirms that arrive together: one statement, each its own verdict, nobody kept waiting."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from config.stores.redis import HoldsStoreAway
from reservations.bookings import shared_commit
from reservations.bookings.insert import NewBooking, Verdict, insert_bookings
from reservations.bookings.shared_commit import SharedCommit
from reservations.holds import batches, ids, store
from reservations.models import BookedSeat, Booking
from reservations.services import confirm_booking
from reservations.services.claim_hold import claim_hold
from tests.engine import Traveller
from tests.promises.test_p1_never_sold_twice import new_booking
from tests.race.invariants import sold_twice
from tests.surviving.steps import confirm, lock
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)

Write = Callable[[NewBooking], "Future[Verdict]"]


class Gate:
    """Stands before the statement: the first that comes waits until it is opened."""

    def __init__(self, insert: Callable[[Sequence[NewBooking]], Any]) -> None:
        self.insert = insert
        self.reached, self.opened = threading.Event(), threading.Event()
        self.groups: list[int] = []

    def __call__(self, bookings: Sequence[NewBooking]) -> Any:
        self.groups.append(len(bookings))
        if len(self.groups) == 1:
            self.reached.set()
            assert self.opened.wait(20)
        return self.insert(bookings)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    made = Gate(insert_bookings)
    monkeypatch.setattr(shared_commit, "insert_bookings", made)
    return made


@pytest.fixture
def shared() -> SharedCommit:
    return SharedCommit(patience_seconds=20.0)


@pytest.fixture
def write(shared: SharedCommit) -> Iterator[Write]:
    """Begin to write in a thread of its own; it waits in line before this returns."""

    def run(booking: NewBooking) -> Verdict:
        try:
            return shared.write(booking)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        yield lambda booking: pool.submit(run, booking)


def await_line(shared: SharedCommit, number: int) -> None:
    """Until so many wait in line."""
    tick, deadline = threading.Event(), 20.0
    while len(shared._waiting) < number and deadline > 0:
        tick.wait(0.005)
        deadline -= 0.005
    assert len(shared._waiting) == number


def three_after_one(
    gate: Gate, shared: SharedCommit, write: Write, bookings: Sequence[NewBooking]
) -> "list[Future[Verdict]]":
    """The first is being written while the others come."""
    first = write(bookings[0])
    assert gate.reached.wait(20)
    others = []
    for number, booking in enumerate(bookings[1:], 1):
        others.append(write(booking))
        await_line(shared, number)
    gate.opened.set()
    return [first, *others]


def test_who_comes_while_one_is_written_shares_the_next_commit(
    anna: Traveller, departure: Departure, gate: Gate, shared: SharedCommit, write: Write
) -> None:
    bookings = [new_booking(anna, departure, (0, 4), seat) for seat in range(4)]
    told = three_after_one(gate, shared, write, bookings)
    assert [each.result(20) for each in told] == [Verdict.BOOKED] * 4
    assert gate.groups == [1, 3]
    assert Booking.objects.count() == 4
    assert shared.write(new_booking(anna, departure, (0, 4), 5)) is Verdict.BOOKED
    assert gate.groups == [1, 3, 1], "nobody is waited for"


def test_each_who_shares_is_told_the_verdict_that_is_its_own(
    anna: Traveller, departure: Departure, gate: Gate, shared: SharedCommit, write: Write
) -> None:
    bookings = [new_booking(anna, departure, (0, 4), seat) for seat in (0, 1, 0, 2)]
    told = three_after_one(gate, shared, write, bookings)
    booked, taken = Verdict.BOOKED, Verdict.SEAT_TAKEN
    assert [each.result(20) for each in told] == [booked, booked, taken, booked]
    assert sold_twice(departure) == []


def test_with_verdicts_in_another_order_somebody_is_told_of_a_booking_that_is_not_there(
    anna: Traveller, departure: Departure, gate: Gate, shared: SharedCommit, write: Write
) -> None:
    """The guard off: verdicts and turns do not run side by side."""
    gate.insert = lambda some: insert_bookings(some)[::-1]
    bookings = [new_booking(anna, departure, (0, 4), seat) for seat in (0, 0, 1, 2)]
    told = three_after_one(gate, shared, write, bookings)
    last = told[-1].result(20)
    assert last is Verdict.SEAT_TAKEN
    assert Booking.objects.filter(hold=bookings[-1].hold).exists()


def test_an_error_of_the_commit_is_raised_by_each_and_the_next_are_written(
    anna: Traveller, departure: Departure, gate: Gate, shared: SharedCommit, write: Write
) -> None:
    bookings = [new_booking(anna, departure, (0, 4), seat) for seat in range(4)]

    def lost(some: Sequence[NewBooking]) -> Any:
        if len(some) == 1:
            raise OperationalError("lost at COMMIT")
        return [*insert_bookings(some[:1]), *[OperationalError("unknown")] * (len(some) - 1)]

    gate.insert = lost
    told = three_after_one(gate, shared, write, bookings)
    assert [type(each.exception(20)) for each in told] == [
        OperationalError,
        type(None),
        OperationalError,
        OperationalError,
    ]
    gate.insert = insert_bookings
    assert shared.write(bookings[3]) is Verdict.BOOKED


def test_who_has_waited_long_enough_goes_alone(
    anna: Traveller, departure: Departure, gate: Gate, shared: SharedCommit, write: Write
) -> None:
    """Its neighbour waits for a rival; it does not."""
    slow = write(new_booking(anna, departure, (0, 4), 0))
    assert gate.reached.wait(20)
    shared._patience_seconds = 0.01
    assert write(new_booking(anna, departure, (0, 4), 1)).result(20) is Verdict.BOOKED
    assert not slow.done()
    gate.opened.set()
    assert slow.result(20) is Verdict.BOOKED
    assert gate.groups == [1]
    assert shared._waiting == []


@pytest.fixture
def holds(anna: Traveller, bela: Traveller, departure: Departure) -> list[NewBooking]:
    """Bookings of four holds that are pinned."""
    made = []
    for seat, who in enumerate((anna, anna, bela, bela)):
        held = lock(who, departure, f"S1-{seat + 1}")["hold"]
        store.pin(ids.read(held), who.sid, None)
        made.append(replace(new_booking(who, departure, (0, 4), seat), hold=held))
    return made


def pinned(departure: Departure) -> set[str]:
    (image,) = store.read_images([departure.pk], members=True)
    return {member.hold for member in image.members}


def test_what_is_written_together_is_settled_together_in_one_round_trip(
    *,
    departure: Departure,
    holds: list[NewBooking],
    gate: Gate,
    shared: SharedCommit,
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settled: list[int] = []
    settle_all = batches.settle_all

    def counted(refs: Sequence[ids.HoldRef]) -> list[bool]:
        settled.append(len(refs))
        return settle_all(refs)

    monkeypatch.setattr(shared_commit, "settle_all", counted)
    told = three_after_one(gate, shared, write, holds)
    assert [each.result(20) for each in told] == [Verdict.BOOKED, *[Verdict.SETTLED] * 3]
    assert settled == [3]
    assert pinned(departure) == {holds[0].hold}, "who is alone settles for itself"


def test_a_settle_that_fails_leaves_the_booking_and_each_to_itself(
    *,
    holds: list[NewBooking],
    gate: Gate,
    shared: SharedCommit,
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(_: Sequence[ids.HoldRef]) -> list[bool]:
        raise HoldsStoreAway("gone")

    monkeypatch.setattr(shared_commit, "settle_all", away)
    told = three_after_one(gate, shared, write, holds)
    assert [each.result(20) for each in told] == [Verdict.BOOKED] * 4
    assert Booking.objects.count() == 4


def test_who_was_swept_meanwhile_and_who_is_not_pinned_settle_nothing_for_others(
    *,
    departure: Departure,
    holds: list[NewBooking],
    gate: Gate,
    shared: SharedCommit,
    write: Write,
) -> None:
    store.free(ids.read(holds[1].hold), "expired")
    past_redis = replace(holds[2], deadline_ms=32_503_680_000_000)
    told = three_after_one(gate, shared, write, [holds[0], holds[1], past_redis, holds[3]])
    booked, settled = Verdict.BOOKED, Verdict.SETTLED
    assert [each.result(20) for each in told] == [booked, booked, booked, settled]
    assert pinned(departure) == {holds[0].hold, holds[2].hold}


def test_who_is_on_the_way_is_waited_for_and_who_turned_back_is_not(
    *,
    anna: Traveller,
    departure: Departure,
    gate: Gate,
    shared: SharedCommit,
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shared_commit, "COMPANY_SECONDS", 20.0)
    gate.opened.set()
    bookings = [new_booking(anna, departure, (0, 4), seat) for seat in range(3)]
    with shared.on_the_way():
        others = [write(booking) for booking in bookings[:2]]
        await_line(shared, 2)
        assert shared.write(bookings[2]) is not None
    assert [each.result(20) for each in others] == [Verdict.BOOKED] * 2
    assert gate.groups == [3]
    with pytest.raises(ZeroDivisionError), shared.on_the_way():
        _ = 1 / 0
    assert shared.write(new_booking(anna, departure, (0, 4), 5)) is Verdict.BOOKED


def test_a_confirm_is_on_the_way_from_its_beginning(
    anna: Traveller,
    bela: Traveller,
    departure: Departure,
    gate: Gate,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Bela has not even asked for his pin when anna's booking could be written."""
    monkeypatch.setattr(shared_commit, "COMPANY_SECONDS", 20.0)
    monkeypatch.setattr(shared_commit._shared, "_patience_seconds", 20.0)
    gate.opened.set()
    first, late = (lock(who, departure, f"S1-{n}") for n, who in enumerate((anna, bela), 1))
    began = threading.Event()

    def claim(ref: ids.HoldRef, *others: Any) -> Any:
        if ref.hold == late["hold"]:
            began.set()
            await_line(shared_commit._shared, 1)
        return claim_hold(ref, *others)

    def confirm_late() -> Any:
        try:
            return confirm(bela, late)
        finally:
            connection.close()

    monkeypatch.setattr(confirm_booking, "claim_hold", claim)
    with ThreadPoolExecutor(1) as pool:
        told = pool.submit(confirm_late)
        assert began.wait(20)
        assert confirm(anna, first).status_code == 201
        assert told.result(20).status_code == 201
    assert gate.groups == [2]


def test_inside_a_transaction_of_the_callers_nothing_is_shared(
    anna: Traveller, departure: Departure, gate: Gate, shared: SharedCommit
) -> None:
    with transaction.atomic():
        assert shared.write(new_booking(anna, departure, (0, 4), 0)) is Verdict.BOOKED
        transaction.set_rollback(True)
    assert gate.groups == []
    assert BookedSeat.objects.count() == 0

"""A hold that was given back does not come back by its capability, whatever Redis forgets."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
import redis.exceptions
from django.db import OperationalError
from django.db.models import F

from config.stores import keys
from config.stores.redis import holds_store
from reservations.bookings.tombstone import KEPT, purge_tombstones
from reservations.holds import ids, store, unburied
from reservations.holds.scripts import Outcome
from reservations.models import Booking
from reservations.services import bury_released, release_hold
from reservations.services.bury_released import bury_unburied
from tests.engine import Traveller
from tests.reservations.test_hold_seats import wish
from tests.surviving.steps import ALREADY_BOOKED, EXPIRED, code_of, confirm, lock
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)

Time = Callable[[float], AbstractContextManager[None]]


def release(traveller: Traveller, hold: dict[str, Any]) -> int:
    return int(traveller.delete(f"reservations/holds/{hold['hold']}/").status_code)


@pytest.fixture
def postgres_hears_nothing(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """PostgreSQL is away whenever a hold is to be buried; `undo` brings it back."""

    def away(refs: object) -> dict[str, int]:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(bury_released, "bury", away)
    return monkeypatch


@pytest.fixture(autouse=True)
def no_rest() -> None:
    bury_released._outage._resting_until = 0.0


def test_a_released_hold_does_not_come_back_after_a_flush(
    anna: Traveller, departure: Departure
) -> None:
    hold = lock(anna, departure, "S1-1")
    assert release(anna, hold) == 204
    assert code_of(confirm(anna, hold)) == EXPIRED
    holds_store().flushall()
    assert code_of(confirm(anna, hold)) == EXPIRED
    assert release(anna, hold) == 204
    # Its seat was taken for the confirm, and is free again.
    assert anna.post("reservations/lock/", wish(departure, "S1-1")).status_code == 201


def test_without_its_tombstone_it_would_come_back(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release_hold, "bury_released", lambda *_: None)
    hold = lock(anna, departure, "S1-1")
    assert release(anna, hold) == 204
    holds_store().flushall()
    assert confirm(anna, hold).status_code == 201


def test_a_hold_given_back_after_redis_forgot_it_is_given_back(
    anna: Traveller, departure: Departure
) -> None:
    hold = lock(anna, departure, "S1-1")
    holds_store().flushall()
    assert release(anna, hold) == 204
    assert code_of(confirm(anna, hold)) == EXPIRED


def test_a_hold_freed_by_staff_does_not_come_back_either(
    anna: Traveller, controller: Traveller, departure: Departure
) -> None:
    hold = lock(anna, departure, "S1-1")
    path = f"operations/holds/{hold['hold']}/release/"
    assert controller.post(path, {"reason": "stuck"}).status_code == 200
    holds_store().flushall()
    assert code_of(confirm(anna, hold)) == EXPIRED


def test_an_expired_hold_does_not_come_back_after_a_flush(
    anna: Traveller, departure: Departure, time_passes: Time
) -> None:
    hold = lock(anna, departure, "S1-1")
    holds_store().flushall()
    with time_passes(181):
        assert code_of(confirm(anna, hold)) == EXPIRED


def test_a_hold_whose_seats_went_to_another_is_over_for_good(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    hold = lock(anna, departure, "S1-1")
    holds_store().flushall()
    other = lock(bela, departure, "S1-1")
    assert code_of(confirm(anna, hold)) == EXPIRED
    assert release(bela, other) == 204
    assert code_of(confirm(anna, hold)) == EXPIRED  # it was told that it is over


def test_a_hold_the_database_refused_is_over_for_good(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    hold = lock(anna, departure, "S1-1")
    holds_store().flushall()
    booked = confirm(bela, lock(bela, departure, "S1-1")).json()
    # Redis comes back with a memory in which Bela was never there.
    holds_store().flushall()
    assert code_of(confirm(anna, hold)) == EXPIRED
    cancelled = bela.post(f"reservations/bookings/{booked['pnr']}/cancel/")
    assert cancelled.status_code == 200
    assert code_of(confirm(anna, hold)) == EXPIRED


def test_booked_past_redis_by_another_a_confirm_is_refused_and_stays_refused(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    hold = lock(anna, departure, "S1-1")
    shard = f"{{{departure.pk % 64}}}"
    names = [f"{shard}:{what}:{departure.pk}" for what in ("live", "held")]
    kept: dict[str, Any] = {name: holds_store().dump(name) for name in names}
    holds_store().delete(*names)  # Bela's web process sees a Redis that knows nothing of Anna
    rival = lock(bela, departure, "S1-1")
    booked = confirm(bela, rival).json()
    for name, value in kept.items():
        holds_store().restore(name, 0, value, replace=True)
    assert code_of(confirm(anna, hold)) == ALREADY_BOOKED
    assert bela.post(f"reservations/bookings/{booked['pnr']}/cancel/").status_code == 200
    holds_store().flushall()
    assert code_of(confirm(anna, hold)) == EXPIRED


def test_a_booked_hold_is_not_harmed_by_a_release(anna: Traveller, departure: Departure) -> None:
    hold = lock(anna, departure, "S1-1")
    pnr = confirm(anna, hold).json()["pnr"]
    assert release(anna, hold) == 204
    assert confirm(anna, hold).json()["pnr"] == pnr
    assert anna.get(f"reservations/bookings/{pnr}/").json()["status"] == "confirmed"


def test_without_postgres_a_release_frees_the_seat_and_the_sweep_buries_it(
    anna: Traveller,
    bela: Traveller,
    departure: Departure,
    postgres_hears_nothing: pytest.MonkeyPatch,
    time_passes: Time,
) -> None:
    hold = lock(anna, departure, "S1-1")
    assert release(anna, hold) == 204
    assert bela.post("reservations/lock/", wish(departure, "S1-1")).status_code == 201
    assert not Booking.objects.exists()
    postgres_hears_nothing.undo()
    with time_passes(-0.9):
        assert bury_unburied() == 0, "its own request may be burying it this moment"
    with time_passes(2):
        assert bury_unburied() == 1
        assert bury_unburied() == 0
    holds_store().flushall()
    assert code_of(confirm(anna, hold)) == EXPIRED


def test_what_is_buried_at_once_is_owed_no_more(anna: Traveller, departure: Departure) -> None:
    hold = lock(anna, departure, "S1-1")
    assert release(anna, hold) == 204
    assert holds_store().zcard(keys.unburied(keys.shard(departure.pk))) == 0


def test_a_debt_that_redis_does_not_strike_out_harms_nobody_and_is_looked_at_again(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch, time_passes: Time
) -> None:
    def gone(_: object) -> None:
        raise redis.exceptions.ConnectionError("gone")

    hold = lock(anna, departure, "S1-1")
    with monkeypatch.context() as patched:
        patched.setattr(unburied, "forget_unburied", gone)
        assert release(anna, hold) == 204
    with time_passes(2):
        assert bury_unburied() == 1
    assert Booking.objects.get().hold == hold["hold"]


def test_postgres_away_is_asked_by_the_first_and_left_alone_by_those_who_follow(
    anna: Traveller,
    departure: Departure,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    asked: list[object] = []

    def away(refs: object) -> dict[str, int]:
        asked.append(refs)
        raise OperationalError("the server closed the connection")

    first, second, third = (lock(anna, departure, f"S1-{number}") for number in (1, 2, 3))
    with monkeypatch.context() as patched:
        patched.setattr(bury_released, "bury", away)
        assert release(anna, first) == release(anna, second) == 204
    assert len(asked) == 1
    bury_released._outage._resting_until = 0.0
    assert release(anna, third) == 204
    told = [record.getMessage() for record in caplog.records if "buried" in record.getMessage()]
    assert len(told) == 2
    assert told[0].startswith("PostgreSQL is away: released holds are buried later")
    assert told[1] == "released holds are buried again"


def test_only_a_hold_that_was_booked_past_redis_is_settled(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled: list[int] = []
    monkeypatch.setattr(bury_released, "settle_booking", lambda _, booking: settled.append(booking))
    assert release(anna, lock(anna, departure, "S1-1")) == 204
    booked = lock(anna, departure, "S1-2")
    assert confirm(anna, booked).status_code == 201
    assert release(anna, booked) == 204
    assert settled == []
    ref = ids.read(booked["hold"])
    bury_released.bury_released(ref, Outcome.RELEASED)
    assert settled == [Booking.objects.get(hold=ref.hold).pk]


def test_a_process_that_dies_between_the_two_leaves_the_rest_to_the_sweep(
    anna: Traveller, departure: Departure, time_passes: Time
) -> None:
    hold = lock(anna, departure, "S1-1")
    ref = ids.read(hold["hold"])
    assert store.release(ref, anna.sid, "{}") == "released"  # here it dies
    with time_passes(2):
        assert bury_unburied() == 1
    holds_store().flushall()
    assert code_of(confirm(anna, hold)) == EXPIRED


def test_a_refused_release_by_staff_leaves_no_half_done_work(
    controller: Traveller, anna: Traveller, departure: Departure, time_passes: Time
) -> None:
    """Its transaction is rolled back, the tombstone with it; the debt in Redis stays."""
    hold = lock(anna, departure, "S1-1")
    holds_store().flushall()
    path = f"operations/holds/{hold['hold']}/release/"
    assert code_of(controller.post(path, {"reason": "stuck"})) == EXPIRED
    with time_passes(2):
        assert bury_unburied() == 1
    assert code_of(confirm(anna, hold)) == EXPIRED


def test_tombstones_are_forgotten_after_a_week(anna: Traveller, departure: Departure) -> None:
    old, young = (lock(anna, departure, seat) for seat in ("S1-1", "S1-2"))
    booked = confirm(anna, lock(anna, departure, "S1-3")).json()
    assert release(anna, old) == release(anna, young) == 204
    aged = Booking.objects.exclude(hold=young["hold"])
    aged.update(created_at=F("created_at") - KEPT - timedelta(minutes=1))
    assert purge_tombstones() == 1
    left = set(Booking.objects.values_list("hold", "status"))
    assert left == {(young["hold"], "void"), (booked["hold"], "confirmed")}

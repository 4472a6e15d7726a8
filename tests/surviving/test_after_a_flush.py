"""Redis has forgotten everything: rule 10, fences, and the marks of ended logins."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest

from config import clock
from config.stores import keys
from config.stores.redis import holds_store
from reservations.holds import capabilities, ids, store
from reservations.models import Booking
from reservations.services import (
    choose_seats,
    claim_hold,
    confirm_booking,
    hold_seats,
    reconcile_images,
    release_hold,
)
from reservations.services.reconcile_images import Reconciled, notice_restart
from tests.engine import Traveller
from tests.promises.guards import scripts_without
from tests.reservations.test_hold_seats import wish
from tests.stores import OwnStore, until_answered
from tests.surviving.steps import AWAY, EXPIRED, code_of, confirm, lock
from trains.models import Departure
from users import marks
from users.services.end_logins import end_logins

pytestmark = pytest.mark.django_db(transaction=True)

Time = Callable[[float], AbstractContextManager[None]]


def kill_and_empty(own: OwnStore) -> None:
    """Kill it, lose its files, start it."""
    own.kill()
    for path in sorted(own.folder.rglob("*"), reverse=True):
        if path.is_file() and path.suffix in {".aof", ".rdb", ".manifest"}:
            path.unlink()
    own.start()
    until_answered(holds_store().ping)
    # The request log may be writing already.
    assert [key for key in holds_store().scan_iter() if key.startswith(b"{")] == []


def test_a_holder_confirms_after_an_empty_restart(
    anna: Traveller, bela: Traveller, departure: Departure, own_holds: OwnStore
) -> None:
    hold, lost = lock(anna, departure, "S1-1", "S1-2"), lock(bela, departure, "S1-3")
    kill_and_empty(own_holds)
    taken = lock(anna, departure, "S1-3")
    assert confirm(anna, hold).status_code == 201
    booking = Booking.objects.get(hold=hold["hold"])
    assert booking.fence == hold["fence"]
    assert code_of(confirm(bela, lost)) == EXPIRED
    assert confirm(anna, taken).status_code == 201
    assert bela.post("reservations/lock/", wish(departure, "S1-1")).status_code == 409


def test_with_the_same_era_a_capability_says_nothing(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = lock(anna, departure, "S1-1")
    anna.delete(f"reservations/holds/{hold['hold']}/")
    assert code_of(confirm(anna, hold)) == EXPIRED
    with scripts_without("ARGV[5] == this_era or ", ""):
        assert code_of(confirm(anna, hold)) == EXPIRED  # it is buried, too


def test_without_era_and_tombstone_a_released_hold_would_come_back(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release_hold, "bury_released", lambda *_: None)
    hold = lock(anna, departure, "S1-1")
    anna.delete(f"reservations/holds/{hold['hold']}/")
    with scripts_without("ARGV[5] == this_era or ", ""):
        assert confirm(anna, hold).status_code == 201


def test_without_the_look_at_its_deadline_an_expired_hold_would_come_back(
    anna: Traveller, departure: Departure, time_passes: Time
) -> None:
    hold = lock(anna, departure, "S1-1")
    holds_store().flushall()
    with scripts_without(" or tonumber(ARGV[6]) <= now_ms", ""), time_passes(181):
        assert confirm(anna, hold).status_code == 201


def test_without_burying_what_was_refused_it_would_be_booked_after_all(
    anna: Traveller, bela: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (claim_hold, confirm_booking):
        monkeypatch.setattr(module, "bury", lambda _: {})
    hold = lock(anna, departure, "S1-1")
    holds_store().flushall()
    other = lock(bela, departure, "S1-1")
    assert code_of(confirm(anna, hold)) == EXPIRED
    assert bela.delete(f"reservations/holds/{other['hold']}/").status_code == 204
    assert confirm(anna, hold).status_code == 201


def test_a_buried_hold_taken_again_for_a_confirm_leaves_nothing_behind(
    anna: Traveller, departure: Departure
) -> None:
    """Neither bits nor a pin, nor a second ending in its story."""
    hold = lock(anna, departure, "S1-1")
    anna.delete(f"reservations/holds/{hold['hold']}/")
    holds_store().flushall()
    assert code_of(confirm(anna, hold)) == EXPIRED
    (image,) = store.read_images([departure.pk], members=True)
    assert image.loaded
    assert image.members == ()
    assert not any(image.held)
    assert holds_store().xlen(keys.audit(keys.shard(departure.pk))) == 0


def test_a_crash_after_it_was_taken_again_is_ended_by_the_sweep(
    anna: Traveller, bela: Traveller, departure: Departure, time_passes: Time
) -> None:
    hold = lock(anna, departure, "S1-1")
    anna.delete(f"reservations/holds/{hold['hold']}/")
    holds_store().flushall()
    lock(bela, departure, "S1-8")  # loads the image
    capability = capabilities.open_sealed(hold["capability"])
    answer, _ = store.pin(ids.read(hold["hold"]), anna.sid, capability)
    assert answer.outcome == "pinned"
    with time_passes(200):
        assert bela.post("reservations/lock/", wish(departure, "S1-1")).status_code == 201


def test_a_confirm_by_capability_ends_a_pin_that_ran_out_on_its_seats(
    anna: Traveller, bela: Traveller, departure: Departure, time_passes: Time
) -> None:
    """Her long hold was lost; his of the same seat died between pin and COMMIT."""
    short = lock(anna, departure, "S1-1")
    with time_passes(100):
        hold = anna.post(f"reservations/holds/{short['hold']}/extend/").json()
    holds_store().flushall()
    died = lock(bela, departure, "S1-1")
    answer, _ = store.pin(ids.read(died["hold"]), bela.sid, None)
    assert answer.outcome == "pinned"
    with time_passes(100):  # since the first lock 200 s: what was flushed has the scripts' clock
        assert confirm(anna, hold).status_code == 201
        assert code_of(confirm(bela, died)) == EXPIRED


def test_an_image_that_is_lost_as_often_as_it_is_loaded_is_answered_with_503(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = lock(anna, departure, "S1-1")
    holds_store().flushall()
    for module in (choose_seats, hold_seats, claim_hold):
        monkeypatch.setattr(module, "load_image", lambda **_: None)
    for asked in (wish(departure, "S1-1"), wish(departure, count=1)):
        assert code_of(anna.post("reservations/lock/", asked)) == AWAY
    assert code_of(confirm(anna, hold)) == AWAY
    monkeypatch.undo()
    assert confirm(anna, hold).status_code == 201


def test_fences_grow_over_a_flush_and_a_confirm_past_redis_keeps_its_own(
    anna: Traveller, departure: Departure
) -> None:
    first = lock(anna, departure, "S1-1")["fence"]
    holds_store().flushall()
    second = lock(anna, departure, "S1-2")["fence"]
    assert second > first


def test_a_fence_is_later_than_those_confirmed_also_if_the_clock_was_set_back(
    anna: Traveller, departure: Departure, time_passes: Time
) -> None:
    hold, other = lock(anna, departure, "S1-1"), lock(anna, departure, "S1-2")
    holds_store().flushall()
    with time_passes(-60):
        # Nothing in Redis knows of the fences before: this one is earlier. Documented.
        assert lock(anna, departure, "S1-3")["fence"] < hold["fence"]
        assert confirm(anna, other).status_code == 201
        assert lock(anna, departure, "S1-4")["fence"] > other["fence"]


def test_an_ended_login_is_refused_by_the_first_call_after_an_empty_restart(
    anna: Traveller, bela: Traveller, departure: Departure, own_holds: OwnStore
) -> None:
    """Also when Redis was asked in vain a moment before: looking for lost marks rests then."""
    hold = lock(anna, departure, "S1-1")
    end_logins(user_id=anna.user.pk, reason="logout")
    own_holds.stop()
    assert anna.get("reservations/bookings/").status_code == 401
    own_holds.start()
    kill_and_empty(own_holds)
    assert code_of(confirm(anna, hold)) == (401, "not-authenticated")
    assert anna.post("reservations/lock/", wish(departure, "S1-1")).status_code == 401
    assert marks.are_complete()
    assert bela.post("reservations/lock/", wish(departure, "S1-1")).status_code == 201


def test_a_restart_is_noticed_by_the_next_look_and_by_one_process(
    anna: Traveller, departure: Departure, own_holds: OwnStore
) -> None:
    notice_restart()
    assert notice_restart() is None
    lock(anna, departure, "S1-1")
    own_holds.stop()
    own_holds.start()
    until_answered(holds_store().ping)
    shard = f"{{{departure.pk % 64}}}"
    sold = f"{shard}:sold:{departure.pk}"
    holds_store().setrange(sold, 16, "\x01\x00\x00\x00")  # an older memory's: seat 4, leg 0
    holds_store().set(keys.TIMETABLE, "older")
    holds_store().set(keys.RECONCILE_LEASE, "another", px=60_000)
    assert notice_restart() is None
    holds_store().delete(keys.RECONCILE_LEASE)
    noticed = notice_restart()
    assert noticed is not None
    assert (noticed.refreshed, noticed.restarted) == (1, True)
    assert holds_store().getrange(sold, 16, 19) == b"\x00" * 4
    assert holds_store().get(keys.TIMETABLE) != b"older"
    assert notice_restart() is None


def test_a_restart_whose_work_was_cut_short_is_noticed_again(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    notice_restart()
    holds_store().flushall()
    lock(anna, departure, "S1-1")

    def killed(**_: int) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(reconcile_images, "refresh_departure", killed)
        with pytest.raises(SystemExit):
            notice_restart()
    noticed = notice_restart()
    assert noticed is not None
    assert (noticed.refreshed, noticed.restarted) == (1, True)


def test_an_image_is_asked_again_after_ten_minutes_and_all_after_a_flush(
    anna: Traveller, departure: Departure, time_passes: Time
) -> None:
    notice_restart()
    lock(anna, departure, "S1-1")
    assert reconcile_images.reconcile_images() == Reconciled(0, 0, restarted=False)
    with time_passes(601):
        assert reconcile_images.reconcile_images() == Reconciled(1, 0, restarted=False)
        assert reconcile_images.reconcile_images() == Reconciled(0, 0, restarted=False)
    holds_store().flushall()
    assert reconcile_images.reconcile_images() == Reconciled(0, 0, restarted=True)


def test_the_image_of_a_departure_that_ended_is_dropped(
    anna: Traveller, departure: Departure
) -> None:
    hold = lock(anna, departure, "S1-1")
    anna.delete(f"reservations/holds/{hold['hold']}/")
    with clock.moved(timedelta(days=90)):
        noticed = notice_restart()
    assert noticed is not None
    assert (noticed.refreshed, noticed.dropped) == (0, 1)
    (image,) = store.read_images([departure.pk])
    assert not image.loaded


def test_a_flush_is_noticed_too_and_brings_the_marks_back(
    anna: Traveller, departure: Departure
) -> None:
    notice_restart()
    end_logins(user_id=anna.user.pk, reason="logout")
    holds_store().flushall()
    assert not marks.are_complete()
    noticed: Any = notice_restart()
    assert noticed.restarted
    assert marks.are_complete()
    assert marks.look(anna.sid) is True

"""The crossing from Redis to PostgreSQL, cut at every point (P4; rules 5 to 8)."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
import redis
from django.db import OperationalError

from config.errors import StoreUnavailable
from config.outbox.consumers import consume_pending
from reservations.bookings.insert import NewBooking, Verdict, insert_booking
from reservations.holds import ids, store
from reservations.models import BookedSeat, Booking
from reservations.services import confirm_booking, resolve_pin
from reservations.services.expire_holds import expire_holds
from reservations.services.refresh_image import refresh_seats
from tests.engine import Traveller
from tests.promises.guards import scripts_without
from tests.promises.test_p2_holds_exclude import lock
from tests.reservations.test_bookings import book
from tests.reservations.test_hold_seats import wish
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)

Time = Callable[[float], AbstractContextManager[None]]


def hold_of(traveller: Traveller, departure: Departure, *seats: str) -> str:
    return str(traveller.post("reservations/lock/", wish(departure, *seats)).json()["hold"])


def confirm(traveller: Traveller, hold: str) -> Any:
    return traveller.post("reservations/confirm/", {"hold": hold})


def lost_before(new: NewBooking) -> Verdict:
    raise OperationalError("the connection died before COMMIT")


def lost_after(new: NewBooking) -> Verdict:
    assert insert_booking(new) is Verdict.BOOKED
    raise OperationalError("the connection died after COMMIT, before its answer")


def test_a_crash_before_commit_keeps_the_seats_until_the_pin_runs_out(
    anna: Traveller, bela: Traveller, departure: Departure, time_passes: Time,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    hold = hold_of(anna, departure, "S1-1")
    monkeypatch.setattr(confirm_booking, "write_booking", lost_before)
    answer = confirm(anna, hold)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer["Retry-After"]
    monkeypatch.undo()
    with time_passes(170):
        assert lock(bela, departure, "S1-1") == 409
    with time_passes(200):
        assert lock(bela, departure, "S1-1") == 201  # it met the pin and asked by writing
        assert confirm(anna, hold).status_code == 410
    assert Booking.objects.get().status == Booking.Status.VOID


def test_seats_of_a_pin_that_ran_out_are_given_to_who_asks_for_any(
    anna: Traveller, bela: Traveller, departure: Departure, time_passes: Time,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Too few are free until the pin is ended; then there are just as many as are asked for."""
    book(anna, departure, "C1-1", "C1-2")
    hold = hold_of(anna, departure, *(f"C1-{number}" for number in range(3, 9)))
    with monkeypatch.context() as patch:
        patch.setattr(confirm_booking, "write_booking", lost_before)
        assert confirm(anna, hold).status_code == 503
    any_six = wish(departure, travel_class="CC", count=6)
    refused = bela.post("reservations/lock/", any_six)
    assert (refused.status_code, refused.json()["free"]) == (409, 0)
    with time_passes(200):
        assert bela.post("reservations/lock/", any_six).status_code == 201


def test_a_crash_before_commit_may_be_tried_again_by_its_owner(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = hold_of(anna, departure, "S1-1")
    monkeypatch.setattr(confirm_booking, "write_booking", lost_before)
    assert confirm(anna, hold).status_code == 503
    monkeypatch.undo()
    assert confirm(anna, hold).status_code == 201


def test_a_crash_after_commit_is_found_by_a_repeat(
    anna: Traveller, bela: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = hold_of(anna, departure, "S1-1")
    monkeypatch.setattr(confirm_booking, "write_booking", lost_after)
    assert confirm(anna, hold).status_code == 503
    monkeypatch.undo()
    again = confirm(anna, hold)
    assert again.status_code == 200
    assert lock(bela, departure, "S1-1") == 409
    assert BookedSeat.objects.filter(live=True).count() == 1


def test_a_crash_after_commit_is_settled_by_the_sweep(
    anna: Traveller, bela: Traveller, departure: Departure, time_passes: Time,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    hold = hold_of(anna, departure, "S1-1")
    monkeypatch.setattr(confirm_booking, "write_booking", lost_after)
    confirm(anna, hold)
    with time_passes(200):
        assert expire_holds().pins == 1
        (image,) = store.read_images([departure.id], members=True)
        assert image.members == ()
        assert lock(bela, departure, "S1-1") == 409
    assert Booking.objects.get().status == Booking.Status.CONFIRMED


def test_a_crash_after_commit_is_settled_by_the_outbox(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = hold_of(anna, departure, "S1-1")
    monkeypatch.setattr(confirm_booking, "write_booking", lost_after)
    confirm(anna, hold)
    assert consume_pending() == 1
    (image,) = store.read_images([departure.id], members=True)
    assert image.members == ()
    assert any(image.sold)


@pytest.mark.parametrize("error", [redis.exceptions.ConnectionError, StoreUnavailable])
def test_a_confirm_that_finds_redis_gone_after_commit_is_answered_and_settled_later(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    hold = hold_of(anna, departure, "S1-1")

    def away(ref: ids.HoldRef) -> bool:
        assert Booking.objects.filter(hold=ref.hold).exists(), "not before COMMIT"
        raise error("the server closed the connection")

    with monkeypatch.context() as patch:
        patch.setattr(store, "settle", away)
        answer = confirm(anna, hold)
    assert (answer.status_code, answer.json()["status"]) == (201, "confirmed")
    assert consume_pending() == 1
    (image,) = store.read_images([departure.id], members=True)
    assert image.members == ()
    assert any(image.sold)


def test_rule_8_a_settle_that_finds_its_hold_gone_shows_the_seat_sold(
    anna: Traveller, bela: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis failed over, between COMMIT and settle, to a replica that had not heard of the hold."""
    hold = hold_of(anna, departure, "S1-1")

    def forgotten(new: NewBooking) -> Verdict:
        verdict = insert_booking(new)
        store.free(ids.read(hold), "released", "{}")
        return verdict

    monkeypatch.setattr(confirm_booking, "write_booking", forgotten)
    assert confirm(anna, hold).status_code == 201
    assert lock(bela, departure, "S1-1") == 409


def stalled_confirm(
    anna: Traveller, bela: Traveller, departure: Departure, passing: Time, patch: pytest.MonkeyPatch
) -> tuple[int, int]:
    """Anna's confirm stalls between pin and INSERT until her pin is over and bela has the seat.

    anna    pin ........................................ INSERT
    sweep         pin over: asks
    bela                          lock ....... confirm
    """
    hold, rival = hold_of(anna, departure, "S1-1"), {}

    def stall(new: NewBooking) -> Verdict:
        patch.setattr(confirm_booking, "write_booking", insert_booking)
        with passing(200):
            expire_holds()
            rival["lock"] = lock(bela, departure, "S1-1")
        return insert_booking(new)

    patch.setattr(confirm_booking, "write_booking", stall)
    return int(confirm(anna, hold).status_code), rival["lock"]


def test_rule_6_a_confirm_that_was_swept_cannot_commit_any_more(
    anna: Traveller, bela: Traveller, departure: Departure, time_passes: Time,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    assert stalled_confirm(anna, bela, departure, time_passes, monkeypatch) == (410, 201)
    assert BookedSeat.objects.count() == 0


def test_rule_6_a_sweep_that_only_looks_lets_a_booking_under_a_rivals_hold(
    anna: Traveller, bela: Traveller, departure: Departure, time_passes: Time,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The guard off: ask by SELECT instead of writing `void`. P2 breaks: bela's hold lives, and
    anna's booking of the same seat commits under it.
    """

    def only_look(hold: str) -> None:
        if not Booking.objects.filter(hold=hold).exists():
            store.free(ids.read(hold), "expired")

    monkeypatch.setattr("reservations.services.expire_holds.resolve_pin", only_look)
    assert stalled_confirm(anna, bela, departure, time_passes, monkeypatch) == (201, 201)
    assert BookedSeat.objects.filter(live=True).count() == 1


def test_rule_5_a_pinned_hold_is_not_released(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = hold_of(anna, departure, "S1-1")
    monkeypatch.setattr(confirm_booking, "write_booking", lost_before)
    confirm(anna, hold)
    refused = anna.delete(f"reservations/holds/{hold}/")
    assert (refused.status_code, refused.json()["state"]) == (409, "confirming")
    extended = anna.post(f"reservations/holds/{hold}/extend/")
    assert extended.status_code == 409


def test_a_seat_the_database_refuses_is_answered_with_its_name_and_freed(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    """A wrong image costs a 409, never a seat sold twice (P1)."""
    book(bela, departure, "S1-1")
    with scripts_without("  return taken\nend", "  return false\nend"):
        hold = hold_of(anna, departure, "S1-1", "S1-2")
    refused = confirm(anna, hold)
    assert (refused.status_code, refused.json()["code"]) == (409, "seat-already-booked")
    assert lock(anna, departure, "S1-1") == 409
    assert lock(anna, departure, "S1-2") == 201


def refreshed_while_rebooked(
    anna: Traveller, bela: Traveller, departure: Departure, patch: pytest.MonkeyPatch
) -> None:
    """A cancel's refresh reads no row; before its step c, bela locks and books the seat.

    cancel   a ..... b (no row) .................. c
    bela                          lock, confirm
    """
    pnr = book(anna, departure, "S1-1")["pnr"]
    real_end = store.refresh_end
    done: list[bool] = []

    def late_end(corrections: Any) -> Any:
        if not done:
            done.append(True)
            refresh_seats(departure=departure.id, seat_ids=seat_ids)  # the cancel's twin, in time
            book(bela, departure, "S1-1")
        return real_end(corrections)

    seat_ids = list(BookedSeat.objects.values_list("seat_id", flat=True))
    patch.setattr(store, "refresh_end", late_end)
    assert anna.post(f"reservations/bookings/{pnr}/cancel/").status_code == 200


def test_rule_7_a_late_refresh_does_not_clear_what_was_sold_meanwhile(
    anna: Traveller, bela: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    refreshed_while_rebooked(anna, bela, departure, monkeypatch)
    assert lock(anna, departure, "S1-1") == 409


def test_rule_7_without_the_epoch_a_late_refresh_shows_a_sold_seat_as_free(
    anna: Traveller, bela: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scripts_without("if image[2] ~= ARGV[1] then", "if false then"):
        refreshed_while_rebooked(anna, bela, departure, monkeypatch)
        assert lock(anna, departure, "S1-1") == 201


def test_resolving_a_pin_twice_is_harmless(
    anna: Traveller, bela: Traveller, departure: Departure, time_passes: Time,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    hold = hold_of(anna, departure, "S1-1")
    monkeypatch.setattr(confirm_booking, "write_booking", lost_before)
    confirm(anna, hold)
    with time_passes(200):
        resolve_pin.resolve_pin(hold)
        assert lock(bela, departure, "S1-1") == 201
        resolve_pin.resolve_pin(hold)
        assert lock(anna, departure, "S1-1") == 409

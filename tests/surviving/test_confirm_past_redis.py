"""Confirm with a capability while Redis is away: PostgreSQL alone decides (P1, first commit wins).

"Cut off" is a web process that cannot reach a Redis which lives on for everybody else.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
import redis
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.outbox.consumers import consume_pending
from config.outbox.models import OutboxEvent
from config.stores.redis import HoldsStore, HoldsStoreAway, holds_store
from reservations.bookings import insert
from reservations.holds import capabilities, ids, store
from reservations.models import BookedSeat, Booking
from reservations.services import claim_hold, confirm_booking
from reservations.services.expire_holds import expire_holds
from tests.engine import Traveller
from tests.reservations.test_hold_seats import wish
from tests.stores import OwnStore, until_answered
from tests.surviving.steps import ALREADY_BOOKED, AWAY, EXPIRED, code_of, confirm, lock
from trains.models import Departure
from users.services.end_logins import end_logins

pytestmark = pytest.mark.django_db(transaction=True)

Time = Callable[[float], AbstractContextManager[None]]


@pytest.fixture
def cut_off(monkeypatch: pytest.MonkeyPatch) -> Callable[[], AbstractContextManager[None]]:
    """Make this process unable to reach Redis, for the length of a `with` block."""

    def away(self: HoldsStore, call: Any) -> Any:
        raise HoldsStoreAway("cut off")

    @contextmanager
    def cut() -> Iterator[None]:
        with monkeypatch.context() as patch:
            patch.setattr(HoldsStore, "guarded", away)
            yield

    return cut


Cut = Callable[[], AbstractContextManager[None]]


def members(departure: Departure) -> list[str]:
    """The holds whose seats Redis keeps."""
    (image,) = store.read_images([departure.pk], members=True)
    return [member.hold for member in image.members]


def status_of(traveller: Traveller, departure: Departure, seat: str) -> str:
    seats = traveller.get(f"departures/{departure.pk}/seats/").json()["seats"]
    return next(str(each["status"]) for each in seats if each["seat"] == seat)


def test_it_books_in_one_statement_with_its_fence_and_all(
    anna: Traveller, departure: Departure, cut_off: Cut
) -> None:
    hold = lock(anna, departure, "S1-1", "S1-2")
    passengers = [{"name": "Asha Rao"}, {"name": "Ravi Rao"}]
    with cut_off(), CaptureQueriesContext(connection) as queries:
        answer = confirm(anna, hold, passengers=passengers)
    assert answer.status_code == 201, answer.content
    asked = [query["sql"].split()[0:3] for query in queries.captured_queries]
    assert asked == [["SELECT", "1", "AS"], ["WITH", "moment", "AS"]]  # the login; the booking
    booking = Booking.objects.get(hold=hold["hold"])
    assert (booking.status, booking.fence, str(booking.fare)) == (
        "confirmed",
        hold["fence"],
        hold["fare"]["amount"],
    )
    assert answer.json()["seats"] == hold["seats"]
    assert BookedSeat.objects.filter(booking=booking, live=True).count() == 2
    fact = OutboxEvent.objects.get(kind="booking.confirmed").body
    assert (fact["hold"], fact["past_redis"]) == (hold["hold"], True)
    with cut_off():
        again = confirm(anna, hold)
    assert (again.status_code, again.json()["pnr"]) == (200, answer.json()["pnr"])


def test_redis_learns_of_it_from_the_outbox(
    anna: Traveller, bela: Traveller, departure: Departure, cut_off: Cut
) -> None:
    hold = lock(anna, departure, "S1-1")
    with cut_off():
        assert confirm(anna, hold).status_code == 201
    assert members(departure) == [hold["hold"]]
    consume_pending()
    assert members(departure) == []
    assert status_of(bela, departure, "S1-1") == "sold"
    assert bela.post("reservations/lock/", wish(departure, "S1-1")).status_code == 409


def test_a_redis_that_comes_back_with_its_old_memory_ends_right(
    anna: Traveller, bela: Traveller, departure: Departure, own_holds: OwnStore, time_passes: Time
) -> None:
    """Nobody consumes the outbox, and the sweep comes first: its `void` is refused."""
    booked, pinned = lock(anna, departure, "S1-1"), lock(anna, departure, "S1-2")
    ref = ids.read(pinned["hold"])
    own_holds.stop()
    assert confirm(anna, booked).status_code == 201
    own_holds.start()
    until_answered(holds_store().ping)
    # The second one's pin took effect, and its answer was lost.
    answer, _ = store.pin(ref, anna.sid, None)
    assert answer.outcome == "pinned"
    own_holds.stop()
    assert confirm(anna, pinned).status_code == 201
    own_holds.start()
    until_answered(holds_store().ping)
    assert sorted(members(departure)) == sorted([booked["hold"], pinned["hold"]])
    with time_passes(200):
        expire_holds()
        assert members(departure) == []
        consume_pending()
        (image,) = store.read_images([departure.pk])
        assert not any(image.held)
        assert status_of(bela, departure, "S1-1") == "sold"
        assert status_of(bela, departure, "S1-2") == "sold"
    assert Booking.objects.filter(status="void").count() == 0


def test_a_pin_whose_answer_was_lost_is_settled(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = lock(anna, departure, "S1-1")
    pin = store.pin

    def pin_unheard(*arguments: Any) -> Any:
        pin(*arguments)
        raise redis.TimeoutError("the answer did not come")

    with monkeypatch.context() as patch:
        patch.setattr(store, "pin", pin_unheard)
        assert confirm(anna, hold).status_code == 201
    shard = f"{{{departure.pk % 64}}}"
    assert holds_store().zcard(f"{shard}:confirming:{departure.pk}") == 1
    consume_pending()
    assert members(departure) == []
    assert status_of(anna, departure, "S1-1") == "sold"


def test_without_a_capability_it_waits_for_redis(
    anna: Traveller, departure: Departure, cut_off: Cut
) -> None:
    hold = lock(anna, departure, "S1-1")
    with cut_off():
        refused = anna.post("reservations/confirm/", {"hold": hold["hold"]})
    assert code_of(refused) == AWAY
    assert int(refused["Retry-After"]) > 0
    assert confirm(anna, hold).status_code == 201


def test_travellers_named_with_the_lock_are_named_again_as_redis_has_them(
    anna: Traveller, departure: Departure, cut_off: Cut
) -> None:
    people = [{"name": "Asha", "age": 31}]
    hold = anna.post("reservations/lock/", wish(departure, "S1-1", passengers=people)).json()
    with cut_off():
        assert "name them again" in confirm(anna, hold).json()["detail"]
        assert confirm(anna, hold, passengers=people).json()["passengers"] == people


def test_the_first_commit_wins(
    anna: Traveller, bela: Traveller, departure: Departure, cut_off: Cut
) -> None:
    """Redis was flushed for some and is away for others: both hold the seat, one books it."""
    hold = lock(anna, departure, "S1-1")
    holds_store().flushall()
    rival = lock(bela, departure, "S1-1")
    with cut_off():
        assert confirm(anna, hold).status_code == 201
    refused = confirm(bela, rival)
    assert code_of(refused) == ALREADY_BOOKED
    assert refused.json()["seats"] == ["S1-1"]
    assert members(departure) == []
    assert status_of(bela, departure, "S1-1") == "sold"


def test_the_second_commit_is_refused_past_redis_too_and_for_good(
    anna: Traveller, bela: Traveller, departure: Departure, cut_off: Cut
) -> None:
    hold = lock(anna, departure, "S1-1")
    holds_store().flushall()
    booked = confirm(bela, lock(bela, departure, "S1-1")).json()
    with cut_off():
        assert code_of(confirm(anna, hold)) == ALREADY_BOOKED
        assert bela.post(f"reservations/bookings/{booked['pnr']}/cancel/").status_code == 200
        assert code_of(confirm(anna, hold)) == EXPIRED
    assert BookedSeat.objects.filter(live=True).count() == 0


def test_it_is_judged_by_the_clock_of_postgresql(
    anna: Traveller, departure: Departure, cut_off: Cut, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its clock is ahead of that of Redis, where the hold lives on; 410 is final all the same."""
    hold = lock(anna, departure, "S1-1")
    monkeypatch.setattr(insert, "now_sql", "clock_timestamp() + interval '181 seconds'")
    with cut_off():
        assert code_of(confirm(anna, hold)) == EXPIRED
    monkeypatch.undo()
    assert members(departure) == [hold["hold"]]
    assert code_of(confirm(anna, hold)) == EXPIRED
    assert members(departure) == []


def test_without_that_clock_an_expired_hold_would_be_booked(
    anna: Traveller, departure: Departure, cut_off: Cut, time_passes: Time,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    hold = lock(anna, departure, "S1-1")
    with time_passes(181), cut_off(), monkeypatch.context() as patch:
        patch.setattr(insert, "now_sql", "to_timestamp(0)")
        assert confirm(anna, hold).status_code == 201


def test_who_was_told_that_it_is_booked_is_told_so_after_its_deadline(
    anna: Traveller, departure: Departure, cut_off: Cut, time_passes: Time
) -> None:
    hold = lock(anna, departure, "S1-1")
    with cut_off():
        pnr = confirm(anna, hold).json()["pnr"]
    with time_passes(181), cut_off():
        again = confirm(anna, hold)
        assert (again.status_code, again.json()["pnr"]) == (200, pnr)


def test_an_extended_hold_is_confirmed_with_its_new_capability(
    anna: Traveller, departure: Departure, cut_off: Cut, time_passes: Time
) -> None:
    hold, other = lock(anna, departure, "S1-1"), lock(anna, departure, "S1-2")
    with time_passes(170):
        extended = anna.post(f"reservations/holds/{hold['hold']}/extend/").json()
        anna.post(f"reservations/holds/{other['hold']}/extend/")
    with time_passes(30), cut_off():  # 200 s after the lock
        assert confirm(anna, extended).status_code == 201
        # The old one names the old deadline; nobody can say that there is a newer.
        assert code_of(confirm(anna, other)) == EXPIRED


def test_a_released_hold_is_not_booked_past_redis(
    anna: Traveller, departure: Departure, cut_off: Cut
) -> None:
    hold = lock(anna, departure, "S1-1")
    assert anna.delete(f"reservations/holds/{hold['hold']}/").status_code == 204
    with cut_off():
        assert code_of(confirm(anna, hold)) == EXPIRED


def test_a_release_that_comes_after_the_booking_frees_nothing(
    anna: Traveller, bela: Traveller, departure: Departure, cut_off: Cut
) -> None:
    """Booked by a process that is cut off, released by one that is not."""
    hold = lock(anna, departure, "S1-1")
    with cut_off():
        pnr = confirm(anna, hold).json()["pnr"]
    assert anna.delete(f"reservations/holds/{hold['hold']}/").status_code == 204
    assert bela.post("reservations/lock/", wish(departure, "S1-1")).status_code == 409
    assert anna.get(f"reservations/bookings/{pnr}/").json()["status"] == "confirmed"


def test_two_processes_confirm_one_hold_and_book_it_once(
    anna: Traveller, departure: Departure, cut_off: Cut, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One has pinned it and stands before its statement when the other, cut off, books it."""
    hold = lock(anna, departure, "S1-1")
    first: list[Any] = []

    def other_first(new: insert.NewBooking) -> insert.Verdict:
        monkeypatch.setattr(confirm_booking, "write_booking", insert.insert_booking)
        with cut_off():
            first.append(confirm(anna, hold))
        return insert.insert_booking(new)

    monkeypatch.setattr(confirm_booking, "write_booking", other_first)
    second = confirm(anna, hold)
    assert [first[0].status_code, second.status_code] == [201, 200]
    assert first[0].json()["pnr"] == second.json()["pnr"]
    assert members(departure) == []


def test_a_login_that_ended_confirms_nothing(
    anna: Traveller, departure: Departure, cut_off: Cut
) -> None:
    hold = lock(anna, departure, "S1-1")
    with cut_off():
        end_logins(user_id=anna.user.pk, reason="logout")
        assert code_of(confirm(anna, hold)) == (401, "not-authenticated")
    assert not Booking.objects.exists()


def test_without_asking_postgresql_it_would_confirm(
    anna: Traveller, departure: Departure, cut_off: Cut, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = lock(anna, departure, "S1-1")
    monkeypatch.setattr(claim_hold, "is_ended", lambda _: False)
    with cut_off():
        end_logins(user_id=anna.user.pk, reason="logout")
        assert confirm(anna, hold).status_code == 201


def test_a_capability_serves_its_owner_and_its_hold_alone(
    anna: Traveller, bela: Traveller, departure: Departure, cut_off: Cut
) -> None:
    hold, other = lock(anna, departure, "S1-1"), lock(bela, departure, "S1-2")
    with cut_off():
        assert code_of(confirm(bela, hold)) == (404, "not-found")
        swapped = {"hold": other["hold"], "capability": hold["capability"]}
        assert code_of(confirm(bela, swapped)) == (400, "invalid")
        forged = capabilities.open_sealed(hold["capability"])
        text = capabilities.seal(forged)[:-4] + "AAAA"
        assert code_of(confirm(anna, {**hold, "capability": text})) == (400, "invalid")
    assert not Booking.objects.exists()


def test_a_key_is_kept_past_redis_too(anna: Traveller, departure: Departure, cut_off: Cut) -> None:
    hold = lock(anna, departure, "S1-1")
    body = {"hold": hold["hold"], "capability": hold["capability"]}
    with cut_off():
        answers = [
            anna.post("reservations/confirm/", body, **{"Idempotency-Key": "once"})
            for _ in range(2)
        ]
    assert [each.status_code for each in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert answers[1]["Idempotency-Replayed"] == "true"


def test_a_hold_that_was_told_over_stays_over_by_a_slower_clock(
    anna: Traveller, departure: Departure, cut_off: Cut, time_passes: Time
) -> None:
    """Redis's clock is ahead of PostgreSQL's, which judges when Redis is away."""
    hold = lock(anna, departure, "S1-1")
    with time_passes(181):
        assert code_of(confirm(anna, hold)) == EXPIRED
    with cut_off():
        assert code_of(confirm(anna, hold)) == EXPIRED

"""Servers that die between two steps, and people who act between them."""

from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest
from django.conf import settings
from django.db import connections

from config.outbox.models import OutboxEvent
from reservations.holds import ids, store
from reservations.models import Booking
from reservations.waitlist.models import Entry, EntryMail
from reservations.waitlist.services import join_waitlist, make_offer
from tests.engine import Traveller
from tests.invariants import assert_invariants
from tests.waitlist.conftest import cancel, join, lock, seen, state, work
from trains.models import Departure

pytestmark = pytest.mark.django_db


class Died(BaseException):
    """The server's process is gone; nothing after this point runs."""


def dies(*_: Any, **__: Any) -> Any:
    raise Died


def after(real: Callable[..., Any], act: Callable[[], Any]) -> Callable[..., Any]:
    """`real`, and then, the first time, something happens before the server goes on."""
    acts = [act]

    def run(*args: Any, **kwargs: Any) -> Any:
        done = real(*args, **kwargs)
        if acts:
            acts.pop()()
        return done

    return run


def holds_of(who: Traveller) -> list[str]:
    return [member.hold for _, member in store.holds_of(who.user.pk)]


@pytest.fixture
def waits(run: Departure, sold: list[str], anna: Traveller, controller: Traveller) -> str:
    """Anna waits, and a seat has come free that nobody looked at yet."""
    entry = join(anna, run)
    cancel(controller, sold[1])
    return entry


def crash_at(module: Any, step: str) -> None:
    with pytest.MonkeyPatch.context() as server:
        server.setattr(module, step, dies)
        with pytest.raises(Died):
            work()


def meanwhile(act: Callable[[], Any]) -> None:
    """The work of a server, with `act` between Redis's hold and PostgreSQL's row."""
    with pytest.MonkeyPatch.context() as crossing:
        crossing.setattr(store, "lock", after(store.lock, act))
        work()


def test_who_comes_after_a_crash_finds_the_hold_and_tells_of_it_once(
    run: Departure, waits: str, anna: Traveller
) -> None:
    crash_at(make_offer, "_tell")
    assert state(waits) == "waiting"
    (made,) = holds_of(anna)
    work()
    work()
    assert seen(anna, waits)["offer"]["hold"] == made
    assert holds_of(anna) == [made]
    assert OutboxEvent.objects.filter(kind="waitlist.offered").count() == 1
    assert EntryMail.objects.count() == 1
    assert_invariants(run.pk)


def test_without_the_name_of_the_hold_a_crash_leaves_two(
    sold: list[str], waits: str, anna: Traveller, controller: Traveller
) -> None:
    mint = ids.mint

    def any_name(*, departure: int, user: int, seed: bytes | None = None) -> str:
        del seed
        return mint(departure=departure, user=user)

    with pytest.MonkeyPatch.context() as nameless:
        nameless.setattr(ids, "mint", any_name)
        nameless.setattr(make_offer.Place, "is_begun", False)
        crash_at(make_offer, "_tell")
        cancel(controller, sold[2])
        work()
    assert len(holds_of(anna)) == 2, "one of them nobody was told of"


def test_a_crash_before_the_hold_is_made_is_made_good(waits: str, anna: Traveller) -> None:
    crash_at(store, "lock")
    assert holds_of(anna) == []
    work()
    assert state(waits) == "offered"


def test_an_offer_that_was_begun_and_has_no_seats_any_more_is_forgotten(
    run: Departure, waits: str, controller: Traveller
) -> None:
    crash_at(store, "lock")
    blocked = {"seats": ["S1-2"], "reason": "paint"}
    assert controller.post(f"operations/departures/{run.pk}/blocks/", blocked).status_code == 200
    work()
    entry = Entry.objects.get(key=waits)
    assert (entry.state, entry.hold, entry.offer_begun_at) == ("waiting", None, None)


def test_leaving_while_an_offer_is_made_leaves_no_hold(
    run: Departure, sold: list[str], anna: Traveller, bela: Traveller, controller: Traveller
) -> None:
    """Between Redis and PostgreSQL: the hold is there, the entry does not say so yet."""
    first, second = join(anna, run), join(bela, run)
    cancel(controller, sold[1])
    meanwhile(lambda: anna.delete(f"reservations/waitlist/{first}/"))
    assert holds_of(anna) == []
    assert [state(first), state(second)] == ["left", "offered"]
    assert_invariants(run.pk)


def test_without_the_second_look_who_left_is_offered_a_seat(waits: str, anna: Traveller) -> None:
    with pytest.MonkeyPatch.context() as blind:
        blind.setattr(make_offer, "_tell", lambda *_: True)
        meanwhile(lambda: Entry.objects.filter(key=waits).update(state="left"))
    assert state(waits) == "left"
    assert len(holds_of(anna)) == 1, "a seat nobody else can have, for who left"


def test_a_cancel_while_an_offer_is_made_serves_the_next(
    run: Departure, sold: list[str], anna: Traveller, bela: Traveller, controller: Traveller
) -> None:
    first, second = join(anna, run), join(bela, run)
    cancel(controller, sold[1])
    meanwhile(lambda: cancel(controller, sold[0]))
    work()
    assert [state(first), state(second)] == ["offered", "offered"]
    assert_invariants(run.pk)


def test_a_confirm_that_was_faster_than_leaving_is_a_booking(waits: str, anna: Traveller) -> None:
    work()
    hold = seen(anna, waits)["offer"]["hold"]
    assert anna.post("reservations/confirm/", {"hold": hold}).status_code == 201
    refused = anna.delete(f"reservations/waitlist/{waits}/")
    assert (refused.status_code, refused.json()["state"]) == (409, "confirmed")
    assert Booking.objects.filter(hold=hold, status="confirmed").exists()


def test_two_workers_at_once_make_one_offer(waits: str, anna: Traveller) -> None:
    """The second serves while the first stands between Redis and PostgreSQL."""
    meanwhile(work)
    assert (state(waits), len(holds_of(anna))) == ("offered", 1)
    assert OutboxEvent.objects.filter(kind="waitlist.offered").count() == 1


def joins_at_once(run: Departure, anna: Traveller, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Anna, who may have one entry, joins; before hers is written, she joins once more."""
    monkeypatch.setattr(settings.ENV, "waitlist_max_per_user", 1)
    real = join_waitlist._refuse_too_many
    answers: list[int] = []
    threads: list[Thread] = []

    def other() -> None:
        answers.append(lock(anna, run, on_full="waitlist").status_code)
        connections.close_all()

    def counted(*args: Any) -> None:
        real(*args)
        if not threads:
            threads.append(Thread(target=other))
            threads[0].start()
            threads[0].join(0.7)  # it waits for us, or, without the guard, it is done

    with monkeypatch.context() as crossing:
        crossing.setattr(join_waitlist, "_refuse_too_many", counted)
        answers.append(lock(anna, run, on_full="waitlist").status_code)
        threads[0].join(30)
    return sorted(answers)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("sold")
def test_two_joins_at_once_are_counted_one_after_the_other(
    run: Departure, anna: Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert joins_at_once(run, anna, monkeypatch) == [202, 422]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("sold")
def test_without_the_advisory_lock_both_are_the_only_one(
    run: Departure, anna: Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(join_waitlist, "_ONE_BY_ONE", "SELECT %s::text")
    assert joins_at_once(run, anna, monkeypatch) == [202, 202]

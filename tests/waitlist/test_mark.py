"""Nobody who waits is overtaken by a new lock; each guard of that, and what happens without it."""

from typing import Any

import pytest

from config.stores import keys
from config.stores.redis import holds_store
from reservations.availability import waiting
from reservations.services import refresh_image
from reservations.waitlist.services import join_waitlist
from tests.engine import Traveller
from tests.invariants import assert_invariants
from tests.promises.guards import scripts_without
from tests.waitlist.conftest import book, cancel, join, lock, seen, state, statuses, work
from trains.models import Departure

pytestmark = pytest.mark.django_db
MARK = "if image[3] and ARGV[13] ~= 'offer' then mark = waiting_key() end"


def mark_of(run: Departure) -> tuple[Any, Any]:
    """The mark as it lies in Redis: the kept seats, and who waits."""
    redis = holds_store()
    kept = redis.get(keys.of(run.pk, "waiting"))
    return kept, redis.hget(keys.of(run.pk, "image"), "waiting")


def ways(who: Traveller, run: Departure) -> list[int]:
    """What a new lock is answered, asked for in each way there is."""
    tries: tuple[dict[str, Any], ...] = (
        {"seats": ["S1-2"]},
        {"count": 1, "travel_class": "SL"},
        {"count": 1, "travel_class": "SL", "preference": "any"},
        {"count": 1, "travel_class": "SL", "source": "BBB", "destination": "CCC"},
    )
    return [lock(who, run, **each).status_code for each in tries]


def test_a_seat_that_comes_free_is_kept_for_who_waits(
    run: Departure, sold: list[str], anna: Traveller, bela: Traveller, controller: Traveller
) -> None:
    entry = join(anna, run)
    cancel(controller, sold[1])
    assert ways(bela, run) == [409, 409, 409, 409]
    assert lock(bela, run, seats=["C1-1"]).status_code == 201
    assert statuses(bela, run) == ["sold", "held", "sold", "sold"]
    assert_invariants(run.pk)
    work()
    assert seen(anna, entry)["offer"]["seats"] == ["S1-2"]
    assert statuses(anna, run) == ["sold", "mine", "sold", "sold"]


def test_without_the_mark_in_the_lock_a_new_lock_overtakes(
    run: Departure, sold: list[str], anna: Traveller, bela: Traveller, controller: Traveller
) -> None:
    entry = join(anna, run)
    cancel(controller, sold[1])
    with scripts_without(MARK, ""):
        assert lock(bela, run, seats=["S1-2"]).status_code == 201
    work()
    assert state(entry) == "waiting", "and this is what the mark prevents"


def test_free_seats_that_are_too_few_are_kept_but_not_on_other_legs(
    run: Departure, anna: Traveller, bela: Traveller
) -> None:
    book(bela, run, "S1-1", "S1-2", "S1-3", destination="CCC")
    join(anna, run, 2, destination="BBB")
    assert lock(bela, run, seats=["S1-4"], destination="BBB").status_code == 409
    assert lock(bela, run, seats=["S1-4"], destination="EEE").status_code == 409
    assert lock(bela, run, seats=["S1-4"], source="BBB").status_code == 201
    joined = lock(bela, run, destination="BBB", on_full="waitlist").json()
    shown = seen(bela, joined["entry"])
    assert (shown["status"], shown["offer"]["seats"]) == ("offered", ["S1-4"])


def test_the_mark_goes_with_the_last_who_waits(
    run: Departure, sold: list[str], anna: Traveller, controller: Traveller
) -> None:
    one, other = join(anna, run), join(anna, run, 2, source="CCC")
    kept, told = mark_of(run)
    assert kept
    assert told == b"SL:0-4:1,SL:2-4:1"
    for entry in (one, other):
        anna.delete(f"reservations/waitlist/{entry}/")
    assert mark_of(run) == (None, None)
    cancel(controller, sold[0])
    assert lock(anna, run, seats=["S1-1"]).status_code == 201


def test_a_flush_loses_nobodys_place_and_no_offer(
    run: Departure, sold: list[str], anna: Traveller, bela: Traveller, controller: Traveller
) -> None:
    offered, waits = join(anna, run), join(anna, run)
    cancel(controller, sold[1])
    work()
    cancel(controller, sold[2])
    was = seen(anna, offered)["offer"]
    holds_store().flushall()
    assert ways(bela, run) == [409, 409, 409, 409]
    assert statuses(bela, run) == ["sold", "held", "held", "sold"]
    named = {"hold": was["hold"], "capability": was["capability"]}
    assert anna.post("reservations/confirm/", named).status_code == 201
    work()
    assert [state(offered), state(waits)] == ["confirmed", "offered"]
    assert_invariants(run.pk)


def test_an_offer_that_redis_forgot_is_made_again_at_the_same_place(
    run: Departure, sold: list[str], anna: Traveller, bela: Traveller, controller: Traveller
) -> None:
    first, second = join(anna, run), join(bela, run)
    cancel(controller, sold[1])
    work()
    was = seen(anna, first)["offer"]
    holds_store().flushall()
    work()
    now = seen(anna, first)["offer"]
    assert (now["seats"], now["hold"] != was["hold"]) == (was["seats"], True)
    assert state(second) == "waiting"
    named = {"hold": was["hold"], "capability": was["capability"]}
    assert anna.post("reservations/confirm/", named).status_code == 410
    assert anna.post("reservations/confirm/", {"hold": now["hold"]}).status_code == 201


def test_without_the_rows_in_the_load_a_flush_lets_a_new_lock_overtake(
    run: Departure, sold: list[str], anna: Traveller, bela: Traveller, controller: Traveller
) -> None:
    join(anna, run)
    cancel(controller, sold[1])
    holds_store().flushall()
    with pytest.MonkeyPatch.context() as unread:
        unread.setattr(refresh_image, "read_waiting", lambda ds: dict.fromkeys(ds, waiting.NOBODY))
        assert lock(bela, run, seats=["S1-2"]).status_code == 201


def two_marks_cross(
    run: Departure, anna: Traveller, bela: Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bela leaves; before what was read then is written, Anna joins and writes her mark."""
    old = join(bela, run)
    real = waiting.read_waiting
    crossed: list[int] = []

    def read_then_wait(departures: Any) -> Any:
        found = real(departures)
        if not crossed:
            crossed.append(1)
            join(anna, run)
        return found

    with monkeypatch.context() as placed:
        placed.setattr(refresh_image, "read_waiting", read_then_wait)
        bela.delete(f"reservations/waitlist/{old}/")
    assert crossed


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("sold")
def test_a_mark_from_older_rows_does_not_replace_a_newer_one(
    run: Departure, anna: Traveller, bela: Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_marks_cross(run, anna, bela, monkeypatch)
    assert mark_of(run)[1] == b"SL:0-4:1"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("sold")
def test_without_the_epoch_an_older_mark_replaces_the_newer(
    run: Departure, anna: Traveller, bela: Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scripts_without("if image[2] ~= ARGV[1] then", "if false then"):
        two_marks_cross(run, anna, bela, monkeypatch)
    assert mark_of(run)[1] is None, "Anna waits, and nothing is kept for her"


@pytest.mark.usefixtures("sold")
def test_a_server_that_dies_before_the_mark_is_followed_by_the_outbox(
    run: Departure, anna: Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as dies:
        dies.setattr(join_waitlist, "mark_soon", lambda _: None)
        dies.setattr(join_waitlist, "serve_soon", lambda _: None)
        entry = join(anna, run)
    assert mark_of(run) == (None, None)
    work()
    assert mark_of(run)[1] == b"SL:0-4:1"
    assert state(entry) == "waiting"


@pytest.mark.usefixtures("sold")
def test_a_mark_that_is_not_what_the_rows_say_is_found(run: Departure, anna: Traveller) -> None:
    join(anna, run, destination="BBB")
    name = keys.of(run.pk, "waiting")
    right = holds_store().get(name)
    assert isinstance(right, bytes)
    assert_invariants(run.pk, patience_seconds=0.0)
    for wrong, told in (
        (b"", "is waited for, and not kept"),
        (b"\x0f" + right[1:], "is kept, and"),
    ):
        holds_store().set(name, wrong)
        with pytest.raises(AssertionError, match=told):
            assert_invariants(run.pk, patience_seconds=0.0)

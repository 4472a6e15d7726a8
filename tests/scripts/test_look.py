"""`look`: the images of many departures, of those alone that changed since the last look."""

import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from config.stores import keys
from config.stores.redis import HoldsStore, holds_store
from reservations.holds import store
from reservations.holds.looks import Look, Unseen, look, timetable_mark
from tests.scripts import bench
from tests.scripts.test_waiting import KEPT, mark

Time = Callable[[float], AbstractContextManager[None]]


def image() -> Look:
    (seen,) = look([bench.DEPARTURE], [b""]).departures
    assert isinstance(seen, Look)
    return seen


def told(mark: bytes) -> Look | Unseen:
    (seen,) = look([bench.DEPARTURE], [mark]).departures
    return seen


def test_what_was_seen_as_it_is_is_not_told_again() -> None:
    seen = image()
    assert told(seen.mark) is Unseen.SAME
    assert look([bench.DEPARTURE] * 2, [seen.mark, b""]).departures == [Unseen.SAME, seen]


def test_the_images_are_those_that_view_tells() -> None:
    bench.take(0)
    (viewed,) = store.read_images([bench.DEPARTURE])
    seen = image()
    assert (seen.held, seen.sold) == (viewed.held, viewed.sold)
    assert any(seen.held)


def test_every_change_of_the_seats_gives_another_mark(time_passes: Time) -> None:
    marks = [image().mark]

    def changed() -> bool:
        seen = told(marks[-1])
        if isinstance(seen, Look):
            marks.append(seen.mark)
        return isinstance(seen, Look)

    taken, other, third = bench.take(0), bench.take(1, user=2), bench.take(2, user=3)
    assert changed()
    bench.release(taken)
    assert changed()
    bench.pin(other)
    changed()
    assert store.settle(other.ref)
    assert changed()
    bench.pin(third)
    changed()
    bench.free(third)
    assert changed()
    bench.take(3, user=4)
    assert changed()
    with time_passes(181):
        assert told(marks[-1]) is Unseen.OVER  # rule 4: it is ended first
        store.read_images([bench.DEPARTURE])
        assert changed()
    assert not changed()
    assert len(set(marks)) == len(marks)


def test_a_load_gives_a_mark_that_never_was() -> None:
    holds_store().flushall()
    assert told(b"") is Unseen.UNLOADED
    bench.load()
    before = image().mark
    holds_store().flushall()
    assert told(before) is Unseen.UNLOADED
    bench.load()
    assert isinstance(told(before), Look)


def test_a_change_makes_no_image_where_none_is_loaded() -> None:
    taken = bench.take(0)
    holds_store().delete(bench.key("image"))
    bench.release(taken)
    assert not holds_store().exists(bench.key("image"))


def test_seats_kept_for_who_waits_come_with_the_line_that_says_so() -> None:
    before = image()
    mark(KEPT)
    seen = told(before.mark)
    assert isinstance(seen, Look)
    assert (seen.kept, seen.waiting) == (KEPT, b"1 party")


def test_the_mark_of_the_timetable_comes_with_it_and_is_made_once() -> None:
    holds_store().delete(keys.TIMETABLE)
    assert look([bench.DEPARTURE], [b""]).timetable is None
    made = timetable_mark()
    assert made
    assert made == timetable_mark() == look([], []).timetable


def test_of_two_who_make_the_mark_at_once_both_have_that_of_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    holds_store().delete(keys.TIMETABLE)
    rivals = iter([timetable_mark])
    made: list[bytes | None] = []
    token = secrets.token_hex

    def made_late(size: int) -> str:
        made.extend(rival() for rival in rivals)
        return token(size)

    monkeypatch.setattr(secrets, "token_hex", made_late)
    assert [timetable_mark()] == made


def test_a_server_that_lost_its_scripts_is_looked_at_all_the_same() -> None:
    before = image()
    holds_store().script_flush()
    assert image() == before


def test_rule_12_a_call_touches_one_shard_and_all_calls_are_one_round_trip(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Any] = []
    ask = HoldsStore.ask

    def noted(self: HoldsStore, commands: Any) -> Any:
        asked.append(commands)
        return ask(self, commands)

    monkeypatch.setattr(HoldsStore, "ask", noted)
    other, same_shard = bench.DEPARTURE + 1, bench.DEPARTURE + keys.SHARDS
    seen = look([other, bench.DEPARTURE, same_shard], [b"", b"", b""]).departures
    assert [type(each) for each in seen] == [Unseen, Look, Unseen]
    ((_, *calls),) = asked
    tags = [{name.partition("}")[0] for name in call[3 : 3 + call[2]]} for call in calls]
    assert [len(each) for each in tags] == [1, 1]

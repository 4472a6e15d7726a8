"""Every script that changes what a seat map shows tells who watches the departure, once."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from config.stores.redis import holds_store
from reservations.holds import store
from tests.scripts import bench
from tests.scripts.watching import Watcher

Time = Callable[[float], AbstractContextManager[None]]
BIT = (1).to_bytes(4, "little")
NONE = bytes(4)


def test_a_lock_tells_the_moment_and_one_that_is_refused_tells_nothing(watcher: Watcher) -> None:
    taken = bench.take(0)
    (at_ms,) = watcher.moments()
    assert at_ms == taken.member.taken_at_ms
    bench.ask(0)
    assert watcher.count() == 0


def test_each_move_of_a_hold_tells_once(watcher: Watcher, time_passes: Time) -> None:
    taken, other = bench.take(0), bench.take(1, user=2)
    watcher.moments()
    with time_passes(10):
        bench.extend(taken)
        assert watcher.count() == 1
        bench.pin(taken)
        assert watcher.count() == 1
        bench.release(taken)  # refused: it is pinned
        assert watcher.count() == 0
        bench.release(other)
        assert watcher.count() == 1


def test_an_extension_that_moves_nothing_tells_nothing(watcher: Watcher) -> None:
    taken = bench.take(0)
    watcher.moments()
    store.extend(taken.ref, bench.SID, ttl_seconds=0)
    assert watcher.count() == 0


def test_the_ends_of_a_pin_tell_once_however_often_they_are_asked(watcher: Watcher) -> None:
    settled, freed = bench.take(0), bench.take(1, user=2)
    bench.pin(settled)
    bench.pin(freed)
    watcher.moments()
    for _ in range(2):
        store.settle(settled.ref)
        bench.free(freed)
    assert watcher.count() == 2


def test_a_pin_by_capability_tells(watcher: Watcher) -> None:
    taken = bench.take(0)
    holds_store().flushall()
    bench.load()
    watcher.moments()
    bench.pin(taken, taken.capability)
    assert watcher.count() == 1


def test_many_expiries_are_told_in_one_word(watcher: Watcher, time_passes: Time) -> None:
    for seat in range(5):
        bench.take(seat, user=seat + 1)
    watcher.moments()
    with time_passes(200):
        bench.reap()
        assert watcher.count() == 1
        bench.reap()
        assert watcher.count() == 0


def test_a_refresh_tells_if_it_changed_a_bit_or_all_was_asked(watcher: Watcher) -> None:
    def refresh(scope: str, changes: bytes = b"") -> int:
        bench.end(bench.begin(scope), scope=scope, changes=changes)
        return watcher.count()

    watcher.moments()
    assert refresh("some") == 0
    assert refresh("some", NONE + BIT + NONE) == 1
    assert refresh("all") == 1

"""refresh_begin, refresh_end, view, reap, drop by themselves: the image and who looks at it."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from config.stores import keys
from config.stores.redis import holds_store
from reservations.holds import store
from reservations.holds.scripts import Outcome
from tests.promises.guards import scripts_without
from tests.scripts import bench

Time = Callable[[float], AbstractContextManager[None]]


def words(*numbers: int) -> bytes:
    """Triples (word, bits to set, bits to clear) as refresh writes them."""
    return b"".join(number.to_bytes(4, "little") for number in numbers)


def forget_image() -> None:
    holds_store().delete(*(bench.key(what) for what in ("image", "held", "sold")))


# Refresh


def test_rule_7_with_another_epoch_nothing_is_changed() -> None:
    late, other = bench.begin("some"), bench.begin("some")
    assert bench.end(other, scope="some", changes=words(0, 3, 0)) is Outcome.DONE
    assert bench.end(late, scope="some", changes=words(0, 0, 3, 1, 5, 0)) is Outcome.AGAIN
    assert bench.words_of("sold") == [3]


def test_rule_7_bits_are_set_and_cleared_and_others_stay() -> None:
    bench.end(bench.begin("some"), scope="some", changes=words(0, 0b1111, 0, 1, 0b11, 0))
    begun = bench.begin("some")
    assert begun.sold == words(0b1111, 0b11)
    assert bench.end(begun, scope="some", changes=words(0, 0b10000, 0b1, 1, 0b100, 0b10)) == "done"
    assert bench.words_of("sold") == [0b11110, 0b101]


def test_rule_7_a_settle_that_sells_what_was_sold_moves_the_epoch() -> None:
    """Else a refresh that saw the bit, and no row, would clear what the settle has sold.

    refresh   a (bit set) ... b (no row) ................. c: must begin again
    confirm                            COMMIT, settle
    """
    taken = bench.take(0)
    bench.end(bench.begin("some"), scope="some", changes=words(0, 0b1111, 0))
    late = bench.begin("some")
    assert store.settle(taken.ref)
    assert bench.end(late, scope="some", changes=words(0, 0, 0b1111)) is Outcome.AGAIN
    assert bench.words_of("sold") == [0b1111]


def test_rule_7_a_settle_that_only_adds_leaves_the_epoch() -> None:
    taken = bench.take(0)
    begun = bench.begin("some")
    assert store.settle(taken.ref)
    assert bench.end(begun, scope="some") is Outcome.DONE
    assert bench.words_of("sold") == [0b1111]


def test_a_settle_with_no_name_settles_nobody() -> None:
    taken = bench.take(0)
    assert bench.begin("some").settled is False
    assert bench.holders() == {taken.ref.hold}
    assert bench.begin("some", taken.ref).settled is True
    assert bench.holders() == set()


def test_a_settle_without_an_image_sets_no_bits() -> None:
    taken = bench.take(0)
    forget_image()
    assert store.settle(taken.ref)
    assert (bench.words_of("held"), bench.words_of("sold")) == ([], [])


def test_rule_7_what_was_sold_while_the_image_was_loaded_stays_sold() -> None:
    """Its row came after the load had looked for rows."""
    taken = bench.take(0)
    forget_image()
    begun = bench.begin("load")
    assert store.settle(taken.ref)
    assert bench.end(begun, scope="load", image_bytes=32) is Outcome.DONE
    assert bench.words_of("sold") == [0b1111, *[0] * 7]


def test_rule_7_a_second_load_joins_the_first() -> None:
    forget_image()
    first, second = bench.begin("load"), bench.begin("load")
    assert (first.loaded, second.loaded) == (False, False)
    assert first.epoch == second.epoch
    assert bench.end(first, scope="load") is Outcome.DONE
    assert bench.end(second, scope="load") is Outcome.LOADED
    assert bench.begin("load").loaded


def test_rule_7_a_load_by_another_plan_is_not_ours() -> None:
    forget_image()
    first, second = bench.begin("load"), bench.begin("load")
    bench.end(first, scope="load", revision="r1")
    assert bench.end(second, scope="load", revision="r2") is Outcome.AGAIN


def test_rule_7_a_load_that_met_another_epoch_is_not_done() -> None:
    forget_image()
    load, some = bench.begin("load"), bench.begin("some")
    assert bench.end(some, scope="some", changes=words(0, 1, 0)) is Outcome.DONE
    assert not bench.image().loaded, "a refresh of some seats does not load"
    assert bench.end(load, scope="load") is Outcome.AGAIN
    assert not bench.image().loaded


def test_where_no_image_is_a_refresh_of_some_begins_none() -> None:
    forget_image()
    assert bench.begin("some").epoch == ""
    assert holds_store().exists(bench.key("image")) == 0


def test_rule_7_a_load_makes_held_anew_from_live_and_confirming() -> None:
    bench.take(0)
    bench.pin(bench.take(2, user=2, stretch=(1, 2)))
    forget_image()
    holds_store().set(bench.key("held"), words(0, 15, 0, 15))
    holds_store().zadd(bench.key("confirming"), {"no script wrote this": 1})
    bench.load()
    assert bench.words_of("held") == [15, 0, 0b10]


def test_a_full_refresh_of_a_loaded_image_leaves_the_held_bits() -> None:
    bench.take(0)
    assert bench.end(bench.begin("all"), scope="all", revision="r2") is Outcome.DONE
    assert bench.words_of("held") == [15]
    assert bench.image().revision == "r2"


def test_only_a_full_refresh_counts_as_one() -> None:
    loaded = keys.loaded(bench.SHARD)
    before = holds_store().zscore(loaded, str(bench.DEPARTURE))
    assert before
    holds_store().delete(loaded)
    bench.end(bench.begin("some"), scope="some")
    assert holds_store().exists(loaded) == 0
    bench.end(bench.begin("all"), scope="all")
    assert (holds_store().zscore(loaded, str(bench.DEPARTURE)) or 0) >= before
    assert bench.DEPARTURE in store.images_loaded(5, before_ms=store.redis_now_ms() + 1)


# View


def test_a_view_has_what_was_asked_for() -> None:
    mine, pinned = bench.take(0), bench.take(1)
    bench.take(2, user=2)
    bench.pin(pinned)
    plain, everything, own = bench.image(), bench.image(members=True), bench.image(user=1)
    assert (plain.members, len(everything.members)) == ((), 3)
    assert {(each.hold, each.pinned) for each in own.members} == {
        (mine.ref.hold, False), (pinned.ref.hold, True),
    }  # fmt: skip
    assert (own.held, own.sold) == (b"", b"")
    assert plain.held == words(15, 15, 15)
    store.settle(pinned.ref)
    assert bench.image().sold == words(0, 15)


def test_an_image_that_is_being_loaded_is_not_told_its_members_are() -> None:
    taken = bench.take(0)
    forget_image()
    bench.begin("load")
    holds_store().set(bench.key("sold"), words(15))
    seen = bench.image()
    assert (seen.loaded, seen.held, seen.sold) == (False, b"", b"")
    assert [member.hold for member in seen.members] == [taken.ref.hold]


def test_rule_4_a_view_tells_nothing_before_all_that_ran_out_is_reaped(time_passes: Time) -> None:
    for seat in range(3):
        bench.take(seat)
    bound = scripts_without("local REAP_BOUND = 25", "local REAP_BOUND = 1")
    with bound, time_passes(180):
        seen = bench.image()
    assert seen.held == words(0, 0, 0)


def test_rule_4_the_sweep_is_told_that_more_remains(time_passes: Time) -> None:
    for seat in range(3):
        bench.take(seat)
    bound = scripts_without("local REAP_BOUND = 25", "local REAP_BOUND = 2")
    with bound, time_passes(180):
        assert bench.reap() == (True, [])
        assert bench.reap() == (False, [])
    assert len(bench.facts()) == 6


def test_a_reap_that_is_complete_says_so_at_once(time_passes: Time) -> None:
    bench.take(0)
    bench.take(1)
    with time_passes(180):
        assert bench.reap() == (False, [])
    assert bench.words_of("held") == [0, 0]


@pytest.mark.parametrize(
    "odd", ["nonsense", "h 1 3-3 1 1 1.00 0=S1-1", "h 1 0-4 1 1 1.00 S1-1"],
    ids=["unreadable", "no legs", "no seats"],
)  # fmt: skip
def test_rule_3_what_is_no_member_is_set_aside_once(odd: str) -> None:
    holds_store().zadd(bench.key("live"), {odd: 1})
    bench.take(0)
    bench.reap()
    assert holds_store().lrange(keys.odd(bench.SHARD), 0, -1) == [odd.encode()]
    assert holds_store().zscore(bench.key("live"), odd) is None


def test_a_visit_for_nothing_is_not_repeated() -> None:
    holds_store().zadd(keys.due(bench.SHARD), {str(bench.DEPARTURE): 1})
    assert store.departures_due(5) == [bench.DEPARTURE]
    assert bench.reap() == (False, [])
    assert bench.due_ms() is None


# Drop


def test_an_image_somebody_holds_in_is_not_dropped(time_passes: Time) -> None:
    taken = bench.take(0)
    assert store.drop_image(bench.DEPARTURE) is Outcome.BUSY
    bench.pin(taken)
    assert store.drop_image(bench.DEPARTURE) is Outcome.BUSY
    assert bench.image().loaded
    bench.free(taken)
    assert store.drop_image(bench.DEPARTURE) is Outcome.DROPPED


def test_a_hold_that_ran_out_keeps_no_image(time_passes: Time) -> None:
    bench.take(0)
    with time_passes(180):
        assert store.drop_image(bench.DEPARTURE) is Outcome.DROPPED


def test_a_dropped_image_leaves_nothing_but_its_facts(time_passes: Time) -> None:
    bench.take(0)
    with time_passes(180):
        bench.reap()
        holds_store().zadd(keys.due(bench.SHARD), {str(bench.DEPARTURE): 1})
        assert store.drop_image(bench.DEPARTURE) is Outcome.DROPPED
    for what in ("image", "held", "sold", "fence", "live", "confirming"):
        assert holds_store().exists(bench.key(what)) == 0, what
    assert bench.due_ms() is None
    assert store.images_loaded(5, before_ms=bench.FOREVER_MS) == []

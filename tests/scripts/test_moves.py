"""pin.lua, extend.lua, release.lua, free.lua by themselves: how a hold moves and how it ends."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from config.stores import keys
from config.stores.redis import as_bytes, holds_store
from reservations.holds import store
from reservations.holds.capabilities import Capability
from reservations.holds.scripts import Outcome
from tests.promises.guards import scripts_without
from tests.scripts import bench

Time = Callable[[float], AbstractContextManager[None]]
LIVE, CONFIRMING = "live", "confirming"


def score(zset: str, taken: bench.Taken) -> int | None:
    found = holds_store().zscore(bench.key(zset), taken.held.text)
    return None if found is None else int(found)


def owned(user: int = 1) -> dict[bytes, float]:
    found: Any = holds_store().zrange(keys.owned(bench.SHARD, user), 0, -1, withscores=True)
    return dict(found)


# Pin


def test_rule_1_a_pinned_member_lies_in_confirming_alone() -> None:
    taken = bench.take(0)
    assert bench.pin(taken) is Outcome.PINNED
    assert score(LIVE, taken) is None
    assert score(CONFIRMING, taken) == taken.member.deadline_ms


def test_rule_5_a_pin_lasts_thirty_seconds_and_never_goes_back(time_passes: Time) -> None:
    taken = bench.take(0)
    with time_passes(170):
        now_ms = store.redis_now_ms()
        bench.pin(taken)
        longer = score(CONFIRMING, taken)
        assert longer is not None
        assert now_ms + 30_000 <= longer <= now_ms + 31_000
    with time_passes(-160):
        assert bench.pin(taken) is Outcome.PINNED
        assert score(CONFIRMING, taken) == longer


def test_what_people_see_moves_with_a_pin(time_passes: Time) -> None:
    taken = bench.take(0)
    with time_passes(170):
        bench.pin(taken)
        shown = holds_store().hgetall(bench.key("hold", taken.ref.hold))
        assert shown[b"status"] == b"confirming"
        assert int(shown[b"deadline_ms"]) == score(CONFIRMING, taken)


def test_a_hold_that_ran_out_is_not_pinned(time_passes: Time) -> None:
    taken = bench.take(0)
    with time_passes(180):
        assert bench.pin(taken) is Outcome.GONE
    assert [name for name, _ in bench.facts()][-1] == f"{taken.ref.hold}:expired"


@pytest.mark.parametrize("act", [bench.pin, bench.release, bench.extend])
def test_rule_4_no_script_moves_a_hold_that_is_over_and_not_yet_reaped(
    act: Callable[[bench.Taken], object], time_passes: Time
) -> None:
    """Three ran out and one call reaps one: the script says `again` until it knows."""
    takens = [bench.take(seat) for seat in range(3)]
    bound = scripts_without("local REAP_BOUND = 200", "local REAP_BOUND = 1")
    with bound, time_passes(180):
        said = act(takens[2])
    assert getattr(said, "outcome", said) is Outcome.GONE
    assert [name.rpartition(":")[2] for name, _ in bench.facts()][3:] == ["expired"] * 3


# Rule 10: a capability speaks only when Redis forgot


def forget_and_load() -> None:
    holds_store().flushall()
    bench.load()
    bench.take(7, user=9)


def test_rule_10_in_the_same_era_a_hold_that_is_gone_is_over() -> None:
    taken = bench.take(0)
    bench.release(taken)
    assert bench.pin(taken, taken.capability) is Outcome.GONE


def test_rule_10_after_a_flush_the_seats_are_taken_again_and_pinned() -> None:
    taken = bench.take(0, 1)
    forget_and_load()
    answer, member = store.pin(taken.ref, bench.SID, taken.capability)
    assert (answer.outcome, answer.rest) == (Outcome.PINNED, ("1",))
    assert member is not None
    assert (member.labels, member.fence) == (taken.member.labels, taken.member.fence)
    assert score(LIVE, taken) is None
    assert score(CONFIRMING, taken) == taken.member.deadline_ms
    assert bench.words_of("held")[:2] == [15, 15]
    assert store.pin(taken.ref, bench.SID, None)[0].rest == ("0",)


def test_rule_10_a_capability_ends_with_its_deadline(time_passes: Time) -> None:
    taken = bench.take(0)
    forget_and_load()
    with time_passes(180):
        assert bench.pin(taken, taken.capability) is Outcome.GONE


def test_rule_10_seats_that_another_has_are_not_taken_again(time_passes: Time) -> None:
    taken = bench.take(0, 1)
    forget_and_load()
    rival = bench.take(1, user=2)
    assert bench.pin(taken, taken.capability) is Outcome.TAKEN
    assert bench.words_of("held")[:2] == [0, 15]
    bench.pin(rival)
    with time_passes(179.9):
        pass
    assert bench.pin(taken, taken.capability) is Outcome.TAKEN


def test_rule_6_a_retake_that_meets_a_pin_that_ran_out_names_it(time_passes: Time) -> None:
    taken = bench.take(0, ttl_seconds=900)
    forget_and_load()
    rival = bench.take(0, user=2)
    bench.pin(rival)
    with time_passes(200):
        answer = store.pin(taken.ref, bench.SID, taken.capability)[0]
        assert (answer.outcome, answer.rest) == (Outcome.OVERDUE, (rival.ref.hold,))


def test_rule_10_without_an_image_the_retake_asks_for_it() -> None:
    taken = bench.take(0)
    holds_store().flushall()
    assert bench.pin(taken, taken.capability) is Outcome.LOAD


def test_what_no_script_can_read_is_gone() -> None:
    taken = bench.take(0)
    forget_and_load()
    strange = Capability("another", taken.member.deadline_ms, "what is this")
    assert bench.pin(taken, strange) is Outcome.GONE


def test_rule_10_a_retake_lasts_to_the_later_of_deadline_and_thirty_seconds(
    time_passes: Time,
) -> None:
    taken = bench.take(0)
    forget_and_load()
    with time_passes(170):
        now_ms = store.redis_now_ms()
        bench.pin(taken, taken.capability)
        longer = score(CONFIRMING, taken)
    assert longer is not None
    assert longer >= now_ms + 30_000


def test_rule_10_a_retake_moves_the_fence_forward_and_never_back() -> None:
    taken = bench.take(0)
    ahead = Capability(
        "another", taken.member.deadline_ms,
        taken.held.text.replace(str(taken.member.fence), str(taken.member.fence + 10**15)),
    )  # fmt: skip
    forget_and_load()
    assert bench.pin(taken, ahead) is Outcome.PINNED
    later = bench.take(3).member.fence
    assert later == taken.member.fence + 10**15 + 1
    holds_store().delete(bench.key(CONFIRMING), keys.era(bench.SHARD), bench.key("held"))
    assert bench.pin(taken, taken.capability) is Outcome.PINNED
    assert bench.take(4, user=3).member.fence == later + 1


# Extend


def test_extend_moves_everything_that_shows_the_deadline(time_passes: Time) -> None:
    taken = bench.take(0)
    with time_passes(100):
        answer = bench.extend(taken)
        assert answer.held is not None
        until_ms = answer.held.member.deadline_ms
        assert until_ms == answer.held.now_ms + 180_000
        assert score(LIVE, taken) == until_ms
        shown = holds_store().hgetall(bench.key("hold", taken.ref.hold))
        assert int(shown[b"deadline_ms"]) == until_ms
        assert owned() == {str(bench.DEPARTURE).encode(): float(until_ms)}
        for name in (bench.key("hold", taken.ref.hold), bench.key("seat", "S1-1", "0-4")):
            assert 179_000 < holds_store().pttl(name) <= 180_000 + 100_000


def test_extend_never_takes_time_away(time_passes: Time) -> None:
    taken = bench.take(0, ttl_seconds=400)
    with time_passes(10):
        answer = bench.extend(taken)
        assert answer.outcome is Outcome.EXTENDED
        assert score(LIVE, taken) == taken.member.deadline_ms
        assert [name for name, _ in bench.facts()] == [f"{taken.ref.hold}:held"]


def test_two_extensions_are_two_facts(time_passes: Time) -> None:
    taken = bench.take(0)
    with time_passes(10):
        bench.extend(taken)
    with time_passes(10):
        bench.extend(taken)
    names = [name.removeprefix(f"{taken.ref.hold}:") for name, _ in bench.facts()]
    assert names == ["held", "extended:1", "extended:2"]


def test_extend_stops_at_the_cap_counted_from_the_lock(time_passes: Time) -> None:
    taken = bench.take(0)
    cap_ms = taken.held.now_ms + 600_000
    deadlines = []
    for _ in range(5):
        with time_passes(150):
            answer = bench.extend(taken)
            deadlines.append(answer.held and answer.held.member.deadline_ms)
    assert cap_ms in deadlines
    assert max(each for each in deadlines if each) == cap_ms
    assert bench.extend(taken).outcome in {Outcome.LIMIT, Outcome.GONE}


def test_at_the_cap_extend_says_so(time_passes: Time) -> None:
    taken = bench.take(0, ttl_seconds=600)
    assert bench.extend(taken).outcome is Outcome.LIMIT


def test_a_pinned_hold_is_not_extended_and_one_that_is_gone_is_gone() -> None:
    taken = bench.take(0)
    bench.pin(taken)
    assert bench.extend(taken).outcome is Outcome.PINNED
    assert score(LIVE, taken) is None
    bench.free(taken)
    assert bench.extend(taken).outcome is Outcome.GONE


# Ends


def test_release_gives_back_bits_member_keys_and_index() -> None:
    taken, other = bench.take(0), bench.take(1)
    assert bench.release(taken) is Outcome.RELEASED
    assert bench.words_of("held") == [0, 15]
    assert bench.holders() == {other.ref.hold}
    assert holds_store().exists(bench.key("hold", taken.ref.hold)) == 0
    assert holds_store().exists(bench.key("seat", "S1-1", "0-4")) == 0
    assert set(owned()) == {str(bench.DEPARTURE).encode()}, "the other hold is still listed"
    assert bench.release(other) is Outcome.RELEASED
    assert owned() == {}
    assert holds_store().exists(bench.key("mine", 1)) == 0


def test_release_clears_its_own_legs_and_nothing_that_is_sold() -> None:
    first, second = bench.take(0, stretch=(0, 2)), bench.take(0, stretch=(2, 4))
    begun = store.refresh_begin(bench.DEPARTURE, scope="some", words=1, ref=None)
    changes = b"".join(each.to_bytes(4, "little") for each in (0, 0b1111, 0))
    assert bench.end(begun, scope="some", changes=changes) is Outcome.DONE
    bench.release(first)
    assert bench.words_of("held") == [0b1100]
    bench.release(second)
    assert (bench.words_of("held"), bench.words_of("sold")) == ([0], [0b1111])


def test_of_two_holds_of_one_user_the_one_that_is_named_ends() -> None:
    first, second = bench.take(0), bench.take(1)
    bench.release(second)
    assert bench.holders() == {first.ref.hold}
    bench.release(first)
    assert bench.holders() == set()


def test_rule_2_a_member_that_is_nowhere_is_gone_whatever_the_index_says() -> None:
    taken = bench.take(0)
    holds_store().zrem(bench.key(LIVE), taken.held.text)
    assert bench.release(taken) is Outcome.GONE
    assert bench.pin(taken) is Outcome.GONE
    assert bench.image(user=1).members == ()


def test_a_key_that_names_another_hold_is_left_alone() -> None:
    taken = bench.take(0)
    seat = bench.key("seat", "S1-1", "0-4")
    holds_store().set(seat, "another", px=60_000)
    bench.extend(taken)
    bench.release(taken)
    assert as_bytes(holds_store().get(seat)) == b"another"
    assert holds_store().pttl(seat) <= 60_000


def test_rule_5_a_pinned_hold_is_not_released_and_owes_no_burial() -> None:
    taken = bench.take(0)
    bench.pin(taken)
    assert bench.release(taken) is Outcome.PINNED
    assert score(CONFIRMING, taken) is not None
    assert holds_store().exists(keys.unburied(bench.SHARD)) == 0


def test_a_release_owes_its_burial_also_of_a_hold_that_is_forgotten() -> None:
    taken = bench.take(0)
    bench.release(taken)
    assert holds_store().zscore(keys.unburied(bench.SHARD), taken.ref.hold)
    holds_store().flushall()
    assert bench.release(taken) is Outcome.GONE
    assert holds_store().zscore(keys.unburied(bench.SHARD), taken.ref.hold)


def test_every_end_is_told_once_and_only_by_its_own_name(time_passes: Time) -> None:
    released, expired, freed, quiet = (bench.take(seat, user=seat) for seat in range(4))
    bench.release(released)
    bench.release(released)
    bench.free(freed, "expired")
    bench.free(freed, "released")
    bench.free(quiet, "")
    with time_passes(180):
        assert bench.release(expired) is Outcome.GONE
    told = [name for name, _ in bench.facts()][4:]
    assert told == [f"{released.ref.hold}:released", f"{freed.ref.hold}:expired",
                    f"{expired.ref.hold}:expired"]  # fmt: skip


def test_a_hold_ends_without_an_image_too() -> None:
    taken = bench.take(0)
    holds_store().delete(*(bench.key(what) for what in ("image", "held", "sold")))
    assert bench.release(taken) is Outcome.RELEASED
    assert bench.words_of("held") == []


def test_settle_tells_no_fact_and_says_whether_the_member_was_there() -> None:
    taken = bench.take(0)
    bench.pin(taken)
    assert store.settle(taken.ref) is True
    assert store.settle(taken.ref) is False
    assert [name for name, _ in bench.facts()] == [f"{taken.ref.hold}:held"]
    assert bench.holders() == set()


# The sweep's index


def test_the_sweep_is_told_of_the_earliest_end_that_is_left(time_passes: Time) -> None:
    first = bench.take(0)
    with time_passes(20):
        second = bench.take(1)
        assert bench.due_ms() == first.member.deadline_ms
        bench.release(first)
        assert bench.due_ms() == second.member.deadline_ms
        bench.release(second)
        assert bench.due_ms() is None


@pytest.mark.parametrize("act", [bench.release, bench.free, lambda each: store.settle(each.ref)])
def test_whatever_ends_a_hold_tells_the_sweep_what_is_next(
    act: Callable[[bench.Taken], object], time_passes: Time
) -> None:
    pinned = bench.take(0, user=2)
    bench.pin(pinned)
    with time_passes(20):
        other, last = bench.take(1), bench.take(2)
        act(other)
        assert bench.due_ms() == pinned.member.deadline_ms
        bench.free(pinned)
        assert bench.due_ms() == last.member.deadline_ms


def test_a_departure_with_only_a_pin_is_visited(time_passes: Time) -> None:
    pinned, other = bench.take(0, user=2), bench.take(1)
    bench.pin(pinned)
    bench.release(other)
    assert bench.due_ms() == pinned.member.deadline_ms
    with time_passes(180):
        assert bench.reap() == (False, [pinned.ref.hold])
        assert bench.due_ms() is not None
        bench.free(pinned)
        assert bench.reap() == (False, [])
        assert bench.due_ms() is None


def test_a_look_that_reaps_tells_the_sweep(time_passes: Time) -> None:
    bench.take(0)
    with time_passes(180):
        assert bench.holders() == set()
        assert bench.due_ms() is None

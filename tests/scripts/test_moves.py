"""pin.lua and extend.lua by themselves: how a hold moves."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from config.stores import keys
from config.stores.redis import holds_store
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
        assert now_ms <= longer - 30_000 <= store.redis_now_ms()
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
    bound = scripts_without("local REAP_BOUND = 25", "local REAP_BOUND = 1")
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
    assert member.pinned
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


def test_an_extension_says_who_acted_for_the_owner() -> None:
    taken = bench.take(0, ttl_seconds=100)
    store.extend(taken.ref, bench.SID, acting={"key": "k1", "for": "the owner"})
    _, body = bench.facts()[-1]
    assert (body["key"], body["for"]) == ("k1", "the owner")


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

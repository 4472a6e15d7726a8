"""How a hold ends, by which script ever: bits, member, keys, fact, and what the sweep is told."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from config.stores import keys
from config.stores.redis import as_bytes, holds_store
from reservations.holds import store
from reservations.holds.scripts import Outcome
from reservations.holds.states import STAGE
from reservations.services.expire_holds import Swept, expire_holds
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


def test_of_holds_that_end_at_one_moment_the_one_that_was_named_is_ended() -> None:
    """They are found by their score, which is the same, and told apart by their ids."""
    first, second = bench.take(0), bench.take(1)
    at = first.member.deadline_ms
    holds_store().zadd(bench.key(LIVE), dict.fromkeys([first.held.text, second.held.text], at))
    holds_store().zadd(bench.key("mine", 1), dict.fromkeys([first.ref.hold, second.ref.hold], at))
    either = {first: (second, [0, 15]), second: (first, [15])}
    ended = max(either, key=lambda each: each.ref.hold)  # the one that stands behind the other
    left, bits = either[ended]
    assert bench.release(ended) is Outcome.RELEASED
    assert (bench.holders(), bench.words_of("held")[: len(bits)]) == ({left.ref.hold}, bits)


def test_release_clears_its_own_legs_and_nothing_that_is_sold() -> None:
    first, second = bench.take(0, stretch=(0, 2)), bench.take(0, stretch=(2, 4))
    begun = bench.begin("some")
    changes = b"".join(each.to_bytes(4, "little") for each in (0, 0b1111, 0))
    assert bench.end(begun, scope="some", changes=changes) is Outcome.DONE
    assert bench.words_of("held") == [0b1111]
    bench.release(first)
    assert bench.words_of("held") == [0b1100]
    bench.release(second)
    assert (bench.words_of("held"), bench.words_of("sold")) == ([0], [0b1111])


def test_rule_1_only_the_script_that_took_the_member_out_clears_its_bits() -> None:
    """As if two had found the member: the second comes when another has the seat."""
    taken = bench.take(0)
    bench.release(taken)
    bench.take(0, user=2)
    find = "local member, zset = find(ARGV[1], ARGV[2])\nif not member then return {'gone'} end"
    with scripts_without(find, f"local member, zset = '{taken.held.text}', LIVE"):
        bench.free(taken)
    assert bench.words_of("held") == [15]


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


def test_the_facts_of_a_hold_have_the_stages_of_the_table(time_passes: Time) -> None:
    taken, _ = bench.take(0), bench.take(1)
    with time_passes(10):
        bench.extend(taken)
        bench.release(taken)
    with time_passes(180):
        bench.reap()
    entries: Any = holds_store().xrange(keys.audit(bench.SHARD))
    told = {fields[b"kind"].decode(): int(fields[b"stage"]) for _, fields in entries}
    assert told == {kind: stage for kind, stage in STAGE.items() if kind.startswith("hold.")}


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
    first, pinned = bench.take(3), bench.take(0, user=2, ttl_seconds=185)
    bench.pin(pinned)
    with time_passes(20):
        other, last = bench.take(1), bench.take(2)
        assert bench.due_ms() == first.member.deadline_ms
        act(first)
        assert bench.due_ms() == pinned.member.deadline_ms
        act(other)
        assert bench.due_ms() == pinned.member.deadline_ms
        bench.free(pinned)
        assert bench.due_ms() == last.member.deadline_ms
        act(last)
        assert bench.due_ms() is None


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


def test_one_sweep_ends_more_holds_than_one_script_does(time_passes: Time) -> None:
    """A script ends 25 at most; who waits for the sweep waits for all of them."""
    for number in range(60):
        bench.take(number, user=number + 1)
    with time_passes(181):
        assert expire_holds().departures > 1
    assert bench.holders() == set()
    assert not any(bench.words_of("held"))


def test_a_sweep_looks_until_nothing_is_due_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    real, looks = store.departures_due, []

    def due(most: int) -> list[int]:
        looks.append(most)
        return real(most)

    monkeypatch.setattr(store, "departures_due", due)
    assert expire_holds() == Swept(0, 0)
    assert len(looks) == 1

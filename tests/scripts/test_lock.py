"""lock.lua by itself: whom it refuses, what it writes, how it answers again."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import pytest

from config.errors import NotAuthenticated
from config.stores import keys
from config.stores.redis import as_bytes, holds_store
from reservations.holds import ids, store
from reservations.holds.scripts import Outcome
from tests.lossy import LossyWay
from tests.promises.guards import scripts_without
from tests.scripts import bench

Time = Callable[[float], AbstractContextManager[None]]
KEPT = store.Keeping(answer=True)


def test_a_lock_judges_by_the_clock_of_redis() -> None:
    before_ms = store.redis_now_ms()
    held = bench.take(0).held
    assert before_ms <= held.now_ms <= store.redis_now_ms()
    assert held.member.deadline_ms == held.now_ms + 180_000


def test_a_login_that_ended_locks_extends_releases_and_pins_nothing() -> None:
    taken = bench.take(0)
    holds_store().set(keys.ended(bench.SHARD, bench.SID), 1)
    for act in (lambda: bench.ask(1), lambda: bench.extend(taken), lambda: bench.release(taken),
                lambda: bench.pin(taken)):  # fmt: skip
        with pytest.raises(NotAuthenticated):
            act()
    assert bench.holders() == {taken.ref.hold}


def test_rule_9_a_lock_with_the_same_id_finds_its_hold() -> None:
    wanted = bench.request(0)
    first, again = store.lock(wanted), store.lock(wanted)
    assert first.held is not None
    assert again.held is not None
    assert first.held.text == again.held.text
    assert len(bench.facts()) == 1


def test_rule_9_a_keyed_lock_keeps_its_answer_past_the_hold() -> None:
    wanted = bench.request(0)
    first = store.lock(wanted, keeping=KEPT)
    store.release(ids.read(wanted.hold), bench.SID, "{}")
    again = store.lock(wanted, keeping=KEPT)
    assert (again.outcome, again.held) == (first.outcome, first.held)
    assert bench.holders() == set()


def test_rule_9_a_keyed_refusal_is_kept_as_well() -> None:
    rival = bench.take(0, user=2)
    wanted = bench.request(0)
    assert store.lock(wanted, keeping=KEPT).outcome is Outcome.TAKEN
    bench.release(rival)
    assert store.lock(wanted, keeping=KEPT).outcome is Outcome.TAKEN
    assert store.lock(bench.request(0)).outcome is Outcome.HELD


@pytest.mark.parametrize("locked", [store.lock, bench.lock_in_a_batch, bench.lock_in_two])
def test_rule_9_a_try_that_was_lost_and_arrives_late_begins_no_second_life(
    locked: Callable[[store.LockRequest], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = bench.request(0)
    bench.ask(3, user=9)  # the script is known to the server
    way = LossyWay(monkeypatch)
    locked(wanted)
    assert wanted.hold in bench.holders()
    store.release(ids.read(wanted.hold), bench.SID, "{}")
    way.arrive()
    assert wanted.hold not in bench.holders()
    facts = [name for name, _ in bench.facts() if wanted.hold in name]
    assert facts == [f"{wanted.hold}:held", f"{wanted.hold}:released"]


def test_without_the_look_at_kept_answers_it_would(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = bench.request(0)
    bench.ask(3, user=9)
    with scripts_without("if known[2] then return cjson.decode(known[2]) end", ""):
        bench.ask(4, user=9)
        way = LossyWay(monkeypatch)
        store.lock(wanted)
        store.release(ids.read(wanted.hold), bench.SID, "{}")
        way.arrive()
    assert wanted.hold in bench.holders()


@pytest.mark.parametrize("locked", [store.lock, bench.lock_in_a_batch, bench.lock_in_two])
def test_without_a_key_nothing_is_kept(locked: Callable[[store.LockRequest], Any]) -> None:
    wanted = bench.request(0)
    locked(wanted)
    assert holds_store().exists(keys.answer(bench.SHARD, wanted.hold)) == 0


def test_without_an_image_nothing_is_decided() -> None:
    holds_store().delete(bench.key("image"))
    assert bench.ask(0) is Outcome.LOAD


def test_rule_12_another_plan_than_the_images_is_read_again() -> None:
    assert bench.ask(0, revision="r2") is Outcome.REPLAN


def test_nothing_is_sold_before_the_sale_and_after_the_train_left() -> None:
    now_ms = store.redis_now_ms()
    assert bench.ask(0, opens_at_ms=now_ms + 60_000) is Outcome.NOT_ON_SALE
    assert bench.ask(0, leaves_at_ms=now_ms - 1) is Outcome.NOT_ON_SALE
    assert bench.ask(0, opens_at_ms=now_ms - 1, leaves_at_ms=now_ms + 60_000) is Outcome.HELD


def test_the_limit_of_holds_is_exact() -> None:
    for seat in range(3):
        bench.take(seat)
    assert bench.ask(3) is Outcome.LIMIT
    assert bench.ask(3, user=2) is Outcome.HELD


def test_the_taken_seats_are_named_and_no_other() -> None:
    bench.take(1, user=2)
    answer = store.lock(bench.request(0, 1, 2))
    assert (answer.outcome, answer.rest) == (Outcome.TAKEN, ("S1-2",))
    assert bench.words_of("held") == [0, 15]


def test_the_first_group_that_is_free_is_taken() -> None:
    bench.take(0, user=2)
    groups = ["1.00 0=S1-1,1=S1-2", "2.00 2=S1-3,3=S1-4", "3.00 4=S1-5"]
    answer = store.lock(replace(bench.request(0), groups=groups), mode="ranked")
    assert answer.held is not None
    assert answer.held.member.labels == ("S1-3", "S1-4")


def test_groups_that_are_all_gone_are_stale_and_names_are_taken() -> None:
    bench.take(0, user=2)
    assert store.lock(bench.request(0), mode="ranked").outcome is Outcome.STALE
    assert store.lock(bench.request(0)).outcome is Outcome.TAKEN


def test_too_few_seats_are_said_by_the_script_and_kept_under_a_key() -> None:
    wanted = replace(bench.request(0), groups=["2", "5", "1.00 0=S1-1"])
    answer = store.lock(wanted, mode="short", keeping=KEPT)
    assert (answer.outcome, answer.rest) == (Outcome.SHORT, ("2", "5"))
    assert store.lock(replace(wanted, groups=["1.00 0=S1-1"]), keeping=KEPT) == answer
    assert bench.holders() == set()


def test_rule_6_a_lock_that_meets_a_pin_that_ran_out_names_it(time_passes: Time) -> None:
    taken = bench.take(0, user=2)
    bench.pin(taken)
    with time_passes(100):
        assert bench.ask(0) is Outcome.TAKEN
    with time_passes(100):
        answer = store.lock(bench.request(0))
        assert (answer.outcome, answer.rest) == (Outcome.OVERDUE, (taken.ref.hold,))


def test_the_fence_grows_and_is_remembered_whatever_the_clock_does() -> None:
    first = bench.take(0).member.fence
    assert as_bytes(holds_store().get(bench.key("fence"))) == str(first).encode()
    later = first + 10**15
    holds_store().set(bench.key("fence"), later)
    assert bench.take(1).member.fence == later + 1


def test_two_fences_of_one_moment_differ(time_passes: Time) -> None:
    fences = [bench.take(seat, user=seat).member.fence for seat in range(5)]
    assert sorted(set(fences)) == fences


def test_the_bits_are_those_of_the_stretch() -> None:
    bench.take(0, stretch=(1, 3))
    bench.take(2, stretch=(0, 32), user=2)
    assert bench.words_of("held") == [0b110, 0, 2**32 - 1]


def test_a_stretch_over_two_words_has_bits_in_both() -> None:
    holds_store().flushall()
    bench.load(words=2)
    bench.take(1, stretch=(30, 34))
    assert bench.words_of("held") == [0, 0, 0b11 << 30, 0b11]
    for stretch, outcome in (((0, 31), Outcome.TAKEN), ((33, 40), Outcome.TAKEN),
                             ((0, 40), Outcome.TAKEN), ((0, 30), Outcome.HELD),
                             ((34, 40), Outcome.HELD)):  # fmt: skip
        assert bench.ask(1, user=2, stretch=stretch) is outcome
    bench.take(3, stretch=(0, 1), user=3)
    assert bench.ask(3, stretch=(0, 40)) is Outcome.TAKEN, "the first word decides as the last does"


def test_sold_seats_are_taken_too() -> None:
    taken = bench.take(0)
    bench.pin(taken)
    assert store.settle(taken.ref)
    assert (bench.words_of("held"), bench.words_of("sold")) == ([0], [15])
    assert bench.ask(0) is Outcome.TAKEN


def test_a_lock_tells_its_fact_with_seats_fence_and_deadline() -> None:
    member = bench.take(0, 1).member
    ((name, body),) = bench.facts()
    assert name == f"{member.hold}:held"
    assert body["seats"] == ["S1-1", "S1-2"]
    assert (body["fence"], body["expires_at_ms"]) == (member.fence, member.deadline_ms)


def test_a_lock_shows_the_hold_and_overwrites_what_was_left_over() -> None:
    seat = bench.key("seat", "S1-1", "0-4")
    holds_store().set(seat, "left-over")
    member = bench.take(0).member
    assert as_bytes(holds_store().get(seat)) == member.hold.encode()
    shown = holds_store().hgetall(bench.key("hold", member.hold))
    assert shown[b"status"] == b"held"
    assert shown[b"deadline_ms"] == str(member.deadline_ms).encode()
    assert 0 < holds_store().pttl(bench.key("hold", member.hold)) <= 180_000


def test_rule_4_lock_decides_only_when_all_that_ran_out_is_reaped(time_passes: Time) -> None:
    for seat in range(3):
        bench.take(seat)
    with scripts_without("local REAP_BOUND = 25", "local REAP_BOUND = 1"), time_passes(180):
        assert bench.ask(2) is Outcome.HELD


def test_a_hold_is_over_at_its_deadline_and_not_a_moment_before(time_passes: Time) -> None:
    bench.take(0)
    with time_passes(179):
        assert bench.ask(0, user=2) is Outcome.TAKEN
    with time_passes(1):
        assert bench.ask(0, user=2) is Outcome.HELD

"""What stands between services and scripts: ids, capabilities, repeats, errors, round trips."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import redis

from config.errors import IdempotencyKeyReused, Invalid, NotFound, StoreUnavailable
from config.stores.redis import holds_store
from reservations.holds import capabilities, fare_text, ids, store
from reservations.holds.capabilities import Capability
from reservations.holds.members import moment
from reservations.holds.scripts import departure_keys, script
from reservations.services.hold_seats import Owner, RequestKey, claim_hold_id
from tests.scripts import bench
from trains.fares import ZERO, SeatFare

Time = Callable[[float], AbstractContextManager[None]]


def changed(text: str, at: int, by: int = 1) -> str:
    """The same text with one byte of what it encodes changed."""
    raw = bytearray(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    raw[at] = (raw[at] + by) % 256
    return urlsafe_b64encode(bytes(raw)).decode().rstrip("=")


# Ids and capabilities


def test_a_hold_id_says_its_departure_and_its_owner() -> None:
    ref = ids.read(ids.mint(departure=2**40 + 7, user=2**40 + 1))
    assert (ref.departure, ref.user) == (2**40 + 7, 2**40 + 1)
    assert len(ref.hold) == ids.LENGTH


@pytest.mark.parametrize("at", [0, 1, 6, 7, 12, 13, 21, 22, 29])
def test_p6_a_hold_id_with_one_byte_changed_is_nobodys(at: int) -> None:
    hold = ids.mint(departure=70, user=1)
    with pytest.raises(NotFound):
        ids.read(changed(hold, at))


def test_p6_a_hold_id_of_another_version_is_nobodys_even_if_signed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ids, "VERSION", 2)
    hold = ids.mint(departure=70, user=1)
    monkeypatch.undo()
    with pytest.raises(NotFound):
        ids.read(hold)


def test_p5_a_hold_id_has_one_spelling() -> None:
    """Base64 is read leniently by Python: `-` and `+`, `_` and `/` are one to some decoders."""
    odd = next(
        each for each in (ids.mint(departure=70, user=1) for _ in range(1000)) if "-" in each
    )
    for other in (odd.replace("-", "+"), odd + "=", odd[:-4] + "\n" + odd[-3:], "", "é" * 40):
        with pytest.raises(NotFound):
            ids.read(other)


def test_p6_only_the_owner_reads_a_hold_as_their_own() -> None:
    hold = ids.mint(departure=70, user=1)
    assert ids.read_own(hold, 1).hold == hold
    with pytest.raises(NotFound):
        ids.read_own(hold, 2)


def test_rule_9_a_seed_gives_the_same_id_and_no_seed_another_each_time() -> None:
    def mint(**seed: Any) -> str:
        return ids.mint(departure=70, user=1, **seed)

    assert mint(seed=b"a") == mint(seed=b"a") != mint(seed=b"b")
    assert mint() != mint()


def test_rule_10_a_capability_with_one_byte_changed_is_refused() -> None:
    sealed = capabilities.seal(Capability("era", 1_000, "hold 1 0-4 1 1 1.00 0=S1-1"))
    assert capabilities.open_sealed(sealed).hold == "hold"
    size = len(urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4)))
    for at in (0, 5, size // 2, size - 16, size - 1):
        with pytest.raises(Invalid):
            capabilities.open_sealed(changed(sealed, at))
    for nonsense in ("", "====", "é", "AAAA"):
        with pytest.raises(Invalid):
            capabilities.open_sealed(nonsense)


# Fares


BARE = SeatFare(base=Decimal("40.00"), distance=Decimal("405.00"))


@pytest.mark.parametrize(
    ("seats", "names_kept", "text"),
    [
        ([replace(BARE, reservation=Decimal("20.00"))] * 2, False, "930.00/2x40.00:405.00:20.00"),
        (
            [BARE, replace(BARE, concession=Decimal("-222.50"), granted="child")], True,
            "667.50/1x40.00:405.00+1x40.00:405.00:0.00:0.00:-222.50@child/p",
        ),
        ([SeatFare(base=Decimal("40.00"), distance=ZERO)], False, "40.00/1x40.00:0.00"),
    ],
    ids=["two alike", "a child", "no distance"],
)  # fmt: skip
def test_a_fare_is_written_briefly_and_read_as_it_was(
    seats: list[SeatFare], names_kept: bool, text: str
) -> None:
    assert fare_text.write(seats, names_kept=names_kept) == text
    held = fare_text.read(text)
    assert (held.seats, held.names_kept) == (tuple(seats), names_kept)
    assert held.total == sum(held.parts.values())


# Keys of requests


def test_rule_9_a_key_with_another_body_is_refused_and_the_first_stays() -> None:
    def claim(user: int, fingerprint: str) -> str:
        owner = Owner(user, bench.SID)
        return claim_hold_id(owner=owner, departure=70, key=RequestKey("k", fingerprint))

    first = claim(1, "one")
    for _ in range(2):
        with pytest.raises(IdempotencyKeyReused):
            claim(1, "two")
    assert claim(1, "one") == first
    assert claim(65, "two") != first, "keys belong to a user, also to one of the same shard"


# Round trips


def test_an_error_of_one_script_among_many_is_raised() -> None:
    good, bad = (departure_keys(70), ("none", "")), (departure_keys(71), ())
    assert len(script("view").many([good, good])) == 2
    holds_store().set(departure_keys(71)[0], "no zset")
    with pytest.raises(redis.ResponseError):
        script("view").many([good, bad])


def test_a_server_that_lost_its_scripts_is_told_them() -> None:
    bench.take(0)
    holds_store().script_flush()
    assert len(bench.image(members=True).members) == 1
    holds_store().script_flush()
    bench.take(1)
    holds_store().script_flush()
    assert [each.loaded for each in store.read_images([70, 71])] == [True, False]


def test_a_script_that_always_says_again_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    class Forever:
        def __call__(self, *_: object) -> list[bytes]:
            calls.append(1)
            return [b"again"]

        def tried(self, *_: object, **__: object) -> list[bytes]:
            return self()

        def many(self, asked: list[Any]) -> list[list[bytes]]:
            calls.append(1)
            return [[b"again"] for _ in asked]

    monkeypatch.setattr(store, "script", lambda _: Forever())
    with pytest.raises(StoreUnavailable):
        bench.ask(0)
    assert len(calls) == store.AGAIN_LIMIT
    with pytest.raises(StoreUnavailable):
        store.read_images([70])
    assert len(calls) == 2 * store.AGAIN_LIMIT


def test_images_are_given_in_the_order_they_were_asked_for() -> None:
    assert [each.departure for each in store.read_images([71, 70, 72])] == [71, 70, 72]
    assert [each.loaded for each in store.read_images([71, 70, 72])] == [False, True, False]


def test_a_member_that_cannot_be_read_does_not_hide_the_others() -> None:
    taken = bench.take(0)
    soon_ms, late_ms = taken.member.deadline_ms - 1, bench.FOREVER_MS
    holds_store().zadd(bench.key("live"), {"nonsense": soon_ms, "more of it": late_ms})
    assert bench.holders() == {taken.ref.hold}


def test_the_sweep_visits_what_is_due_and_not_what_will_be(time_passes: Time) -> None:
    bench.take(0)
    assert store.departures_due(10) == []
    assert store.departures_with_holds() == [70]
    with time_passes(180):
        assert store.departures_due(10) == [70]
        bench.reap()
        assert store.departures_due(10) == []


def test_a_users_holds_come_soonest_first_over_all_departures(time_passes: Time) -> None:
    late = bench.take(0, ttl_seconds=400)
    soon = bench.take(1)
    bench.take(2, user=2)
    assert [member.hold for _, member in store.holds_of(1)] == [soon.ref.hold, late.ref.hold]
    assert [departure for departure, _ in store.holds_of(1)] == [70, 70]
    every = [member.hold for _, member in store.live_holds()]
    assert every[-1] == late.ref.hold
    assert len(every) == 3


def test_the_clock_of_redis_is_told_in_milliseconds() -> None:
    seconds, microseconds = holds_store().time()
    now_ms = store.redis_now_ms()
    assert 0 <= now_ms - (int(seconds) * 1000 + int(microseconds) // 1000) < 60_000
    assert bench.take(0).held.now_ms >= now_ms


def test_a_moment_is_told_to_the_millisecond() -> None:
    assert moment(1_800_000_000_789).isoformat() == "2027-01-15T08:00:00.789000+00:00"


def test_images_are_asked_again_when_their_time_has_come() -> None:
    now_ms = store.redis_now_ms()
    assert store.images_loaded(10, before_ms=now_ms - 60_000) == []
    assert store.images_loaded(10, before_ms=now_ms + 60_000) == [70]

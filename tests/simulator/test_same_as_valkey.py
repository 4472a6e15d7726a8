"""The simulated Redis against a real Valkey: 10,000 random script calls, same answers, same keys.

Both get the same time, by the scripts' own clock. It lies a day ahead of Valkey's, so that no key
with an end goes there by itself, while the deadlines inside members pass all the time: left-over
keys are met as well. Ends themselves are compared key by key.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import pytest

from config.stores import keys
from config.stores.redis import holds_store
from reservations.holds import scripts
from reservations.holds.scripts import departure_keys
from tests.simulator.redis_server import Server
from tests.simulator.redis_types import Stream, Zset

CALLS: Final = 10_000
COMPARED_EVERY: Final = 100
DEPARTURES: Final = (7, 71)  # one shard
LEGS: Final = 40
DAY_MS: Final = 24 * 3600 * 1000

# TIME is what the test says; everything else is asked of Redis.
TOLD_TIME: Final = """
local asked = redis
local redis = {call = function(command, ...)
  if command ~= 'TIME' then return asked.call(command, ...) end
  local told = asked.call('GET', string.match(KEYS[1], '^({%d+})') .. ':clock')
  return {string.sub(told, 1, -7), string.sub(told, -6)}
end}
local function clock_offset_ms() return 0 end
"""


@dataclass
class Calls:
    """Random calls that make sense often enough: ids, members and epochs come back."""

    chance: Random
    holds: list[tuple[str, int, int]] = field(default_factory=list)
    members: list[tuple[str, str, str]] = field(default_factory=list)
    epochs: dict[int, str] = field(default_factory=dict)
    made: int = 0

    def next(self) -> tuple[str, int, list[str], list[Any]]:
        """A script, its departure, the keys beyond the ten, and its arguments."""
        departure = self.chance.choice(DEPARTURES)
        ways = (
            [self.lock] * 6
            + [self.pin, self.extend, self.release, self.free]
            + [self.begin, self.end] * 2
            + [self.view, self.reap]
        )
        if self.chance.random() < 0.01:
            return "drop", departure, [], []
        return self.chance.choice(ways)(departure)

    def lock(self, departure: int) -> tuple[str, int, list[str], list[Any]]:
        hold, user = self.some_hold(departure, new=0.9)
        from_stop, to_stop = self.stretch()
        groups = [self.group() for _ in range(self.chance.randint(1, 3))]
        named = self.chance.choice(("named", "ranked"))
        keep_ms = self.chance.choice((0, 0, DAY_MS))
        opens, leaves = self.chance.choice(((0, 1 << 50), (0, 1 << 50), (1 << 50, 1 << 51)))
        arguments = [hold, user, from_stop, to_stop, self.chance.choice((1000, 60_000))]
        arguments += [3, "1.1", opens, leaves, "era-1", keep_ms, '{"train":"1/2"', named, *groups]
        return "lock", departure, [*self.ended(), f"{keys.tag(7)}:answer:{hold}"], arguments

    def pin(self, departure: int) -> tuple[str, int, list[str], list[Any]]:
        hold, user = self.some_hold(departure)
        member, era, until = self.members[-1] if self.members else ("", "", "0")
        if self.chance.random() < 0.5:
            member = era = ""
        return "pin", departure, self.ended(), [hold, user, 30_000, "era-2", era, until, member]

    def extend(self, departure: int) -> tuple[str, int, list[str], list[Any]]:
        hold, user = self.some_hold(departure)
        return "extend", departure, self.ended(), [hold, user, 60_000, 150_000, "era-3"]

    def release(self, departure: int) -> tuple[str, int, list[str], list[Any]]:
        return "release", departure, self.ended(), [*self.some_hold(departure), '{"by":"owner"}']

    def free(self, departure: int) -> tuple[str, int, list[str], list[Any]]:
        return "free", departure, [], [*self.some_hold(departure), "expired", "{}"]

    def begin(self, departure: int) -> tuple[str, int, list[str], list[Any]]:
        hold, user = self.some_hold(departure) if self.chance.random() < 0.4 else ("", "")
        scope = self.chance.choice(("none", "some", "all", "load"))
        return "refresh_begin", departure, [], [hold, user, scope, self.mark(), 2]

    def end(self, departure: int) -> tuple[str, int, list[str], list[Any]]:
        epoch = self.epochs.get(departure, "") if self.chance.random() < 0.8 else "old"
        triples = b"".join(
            self.chance.randrange(16).to_bytes(4, "little") + self.chance.randbytes(8)
            for _ in range(self.chance.randint(0, 3))
        )
        scope = self.chance.choice(("some", "all", "load"))
        blocked = self.chance.choice((b"", b"\1\0"))
        arguments = [
            epoch,
            self.mark(),
            scope,
            triples,
            "1.1",
            blocked,
            self.chance.choice((0, 64)),
        ]
        return "refresh_end", departure, [], arguments

    def view(self, departure: int) -> tuple[str, int, list[str], list[Any]]:
        return "view", departure, [], [self.chance.choice(("none", "all", "mine")), 5]

    def reap(self, departure: int) -> tuple[str, int, list[str], list[Any]]:
        return "reap", departure, [], []

    def learn(self, departure: int, script: str, answer: Any) -> None:
        """Remember what later calls may name."""
        if script == "refresh_begin" and answer[2]:
            self.epochs[departure] = answer[2].decode()
        elif script == "lock" and answer[0] == b"held":
            member = answer[1].decode()
            self.members.append((member, "another era", answer[2].decode()))
            hold, user, *_ = member.split(" ")
            self.holds = [*self.holds[-12:], (hold, int(user), departure)]

    def some_hold(self, departure: int, new: float = 0.1) -> tuple[str, int]:
        known = [(hold, user) for hold, user, where in self.holds if where == departure]
        if known and self.chance.random() >= new:
            return self.chance.choice(known)
        return f"h{self.mark()}", self.chance.randint(4, 7)

    def ended(self) -> list[str]:
        sid = "gone" if self.chance.random() < 0.02 else "there"
        return [f"{keys.tag(7)}:ended:{sid}"]

    def stretch(self) -> tuple[int, int]:
        first, last = sorted(self.chance.sample((0, 1, 20, 31, 32, 33, LEGS), 2))
        return first, last

    def group(self) -> str:
        ordinals = sorted(self.chance.sample(range(8), self.chance.randint(1, 2)))
        return "12.50 " + ",".join(f"{each}=S/1-{each + 1}" for each in ordinals)

    def mark(self) -> str:
        self.made += 1
        return f"m{self.made}"


@pytest.fixture
def told_time(empty_redis: None) -> Iterator[Callable[[int], None]]:
    """Tell both servers the time, in microseconds since the epoch."""
    names = [path.stem for path in scripts.LUA.glob("*.lua")]
    before = {name: scripts.script(name).text for name in names}
    for name in names:
        scripts.script(name).use(scripts.source(name, {"clock": TOLD_TIME}))

    def tell(microseconds: int) -> None:
        holds_store().set(f"{keys.tag(7)}:clock", microseconds)

    yield tell
    for name, text in before.items():
        scripts.script(name).use(text)


def test_ten_thousand_random_script_calls_have_the_same_answers_and_leave_the_same_keys(
    told_time: Callable[[int], None],
) -> None:
    calls = Calls(Random(4))
    began_ms = int(holds_store().time()[0]) * 1000 + DAY_MS
    # Its own clock stands still, so that ends of keys never come; scripts are told the time.
    server = Server(lambda: (began_ms - DAY_MS) * 1000, lambda: "run")
    now = began_ms * 1000
    holds_store().set(f"{keys.tag(7)}:ended:gone", 1)
    server.execute([b"SET", f"{keys.tag(7)}:ended:gone".encode(), b"1"])
    outcomes = set()
    for at in range(CALLS):
        now += calls.chance.choice((1, 999, 50_000, 900_000, 12_000_000))
        told_time(now)
        server.execute([b"SET", f"{keys.tag(7)}:clock".encode(), b"%d" % now])
        name, departure, more, arguments = calls.next()
        names = [*departure_keys(departure), *more]
        real = scripts.script(name)(names, *arguments)
        words = [str(len(names)), *names, *arguments]
        encoded = [each if isinstance(each, bytes) else str(each).encode() for each in words]
        ours = server.execute([b"EVAL", scripts.script(name).text.encode(), *encoded])
        assert ours == real, (at, name, arguments)
        calls.learn(departure, name, real)
        outcomes.add((name, real[0]))
        if at % COMPARED_EVERY == 0:
            assert contents_of(server) == contents_of_valkey(), (at, name)
    assert len(outcomes) >= 30, sorted(outcomes)


def contents_of(server: Server) -> dict[bytes, Any]:
    """Every key with its value and its end in ms."""
    memory = server.memory
    return {
        name: (_plain(value), _end(name, memory.expires.get(name, -1)))
        for name, value in memory.data.items()
        if memory.get(name) is not None
    }


def contents_of_valkey() -> dict[bytes, Any]:
    store: Any = holds_store()
    names = [name for name in store.scan_iter(count=1000) if name.startswith(b"{7}")]
    readers: dict[bytes, Callable[[bytes], Any]] = {
        b"string": store.get,
        b"hash": store.hgetall,
        b"list": lambda name: store.lrange(name, 0, -1),
        b"zset": lambda name: store.zrange(name, 0, -1, withscores=True),
        b"stream": lambda name: [fields for _, fields in store.xrange(name)],
    }
    return {
        name: (readers[store.type(name)](name), _end(name, store.pexpiretime(name)))
        for name in names
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Stream):
        flat = value.entries.values()
        return [dict(zip(each[::2], each[1::2], strict=True)) for each in flat]
    return value.in_order() if isinstance(value, Zset) else value


def _end(name: bytes, end_ms: int) -> int | str:
    """An end the script named is told exactly; that of an answer counts from Redis's own now."""
    return "some" if b":answer:" in name and end_ms > 0 else end_ms

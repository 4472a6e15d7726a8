"""The memory of a Redis, as far as the engine uses one: strings, hashes, zsets, lists, streams.

Every command of the scripts and of the engine's Python, and no more: an unknown one is an error.
It is held against a real server by `test_same_as_valkey`. The library `fakeredis` was looked at:
its Lua has neither `struct` nor `bit`, it lives by the wall clock and has no snapshots.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from tests.simulator.redis_types import (
    Commands,
    Memory,
    Status,
    Stream,
    Zset,
    number,
    score_text,
)

OK: Final = Status(b"OK")
commands = Commands()


# Keys and strings


@commands.add
def exists(memory: Memory, *names: bytes) -> int:
    return sum(memory.get(name) is not None for name in names)


@commands.add
def delete(memory: Memory, *names: bytes) -> int:
    return sum(memory.drop(name) for name in names)


@commands.add
def publish(_memory: Memory, _channel: bytes, _message: bytes) -> int:
    """Nobody listens here."""
    return 0


@commands.add
def pexpireat(memory: Memory, name: bytes, at_ms: bytes) -> int:
    if memory.get(name) is None:
        return 0
    memory.expires[name] = int(at_ms)
    return 1


@commands.add
def pexpiretime(memory: Memory, name: bytes) -> int:
    if memory.get(name) is None:
        return -2
    return memory.expires.get(name, -1)


@commands.add
def get(memory: Memory, name: bytes) -> bytes | None:
    found: bytes | None = memory.get(name)
    return found


@commands.add
def mget(memory: Memory, *names: bytes) -> list[bytes | None]:
    return [memory.get(name) for name in names]


@commands.add
def set_(memory: Memory, name: bytes, value: bytes, *options: bytes) -> bytes | None:
    before: bytes | None = memory.get(name)
    words = [option.upper() for option in options]
    refused = (b"NX" in words and before is not None) or (b"XX" in words and before is None)
    if not refused:
        memory.put(name, value)
        now_ms = memory.clock() // 1000
        for word, factor, base in ((b"PXAT", 1, 0), (b"PX", 1, now_ms), (b"EX", 1000, now_ms)):
            if word in words:
                memory.expires[name] = base + int(options[words.index(word) + 1]) * factor
    if b"GET" in words:
        return before
    return None if refused else OK


@commands.add
def incrby(memory: Memory, name: bytes, by: bytes) -> int:
    value: int = int(memory.get(name) or b"0") + int(by)
    memory.data[name] = b"%d" % value
    return value


@commands.add
def incr(memory: Memory, name: bytes) -> int:
    return int(incrby(memory, name, b"1"))


@commands.add
def getrange(memory: Memory, name: bytes, start: bytes, end: bytes) -> bytes:
    value: bytes = memory.get(name) or b""
    return value[int(start) : int(end) + 1]


@commands.add
def setrange(memory: Memory, name: bytes, offset: bytes, value: bytes) -> int:
    before: bytes = memory.get(name) or b""
    at = int(offset)
    padded: bytes = before.ljust(at, b"\0")
    after: bytes = padded[:at] + value + padded[at + len(value) :]
    memory.data[name] = after
    return len(after)


# Hashes


@commands.add
def hget(memory: Memory, name: bytes, field: bytes) -> bytes | None:
    found: bytes | None = (memory.get(name) or {}).get(field)
    return found


@commands.add
def hmget(memory: Memory, name: bytes, *fields: bytes) -> list[bytes | None]:
    found = memory.get(name) or {}
    return [found.get(field) for field in fields]


@commands.add
def hgetall(memory: Memory, name: bytes) -> list[bytes]:
    return [part for pair in (memory.get(name) or {}).items() for part in pair]


@commands.add
def hexists(memory: Memory, name: bytes, field: bytes) -> int:
    return int(field in (memory.get(name) or {}))


@commands.add
def hset(memory: Memory, name: bytes, *pairs: bytes) -> int:
    found = memory.get_or_make(name, dict)
    before = len(found)
    found.update(zip(pairs[::2], pairs[1::2], strict=True))
    return len(found) - before


@commands.add
def hsetnx(memory: Memory, name: bytes, field: bytes, value: bytes) -> int:
    return 0 if hexists(memory, name, field) else hset(memory, name, field, value)


@commands.add
def hincrby(memory: Memory, name: bytes, field: bytes, by: bytes) -> int:
    found = memory.get_or_make(name, dict)
    value = int(found.get(field, b"0")) + int(by)
    found[field] = b"%d" % value
    return value


@commands.add
def hdel(memory: Memory, name: bytes, *fields: bytes) -> int:
    return memory.remove(name, fields)


# Zsets


@commands.add
def zadd(memory: Memory, name: bytes, *words: bytes) -> int:
    flags = []
    while words and words[0].upper() in {b"NX", b"XX", b"GT", b"LT"}:
        flags.append(words[0].upper())
        words = words[1:]
    if b"XX" in flags and memory.get(name) is None:
        return 0
    found = memory.get_or_make(name, Zset)
    added = 0
    for score, member in zip(map(number, words[::2]), words[1::2], strict=True):
        before = found.get(member)
        if before is None:
            if b"XX" not in flags:
                found[member] = score
                added += 1
            continue
        keep = (
            b"NX" in flags
            or (b"GT" in flags and score <= before)
            or (b"LT" in flags and score >= before)
        )
        if not keep:
            found[member] = score
    return added


@commands.add
def zrem(memory: Memory, name: bytes, *members: bytes) -> int:
    return memory.remove(name, members)


@commands.add
def zscore(memory: Memory, name: bytes, member: bytes) -> bytes | None:
    score = (memory.get(name) or {}).get(member)
    return None if score is None else score_text(score)


@commands.add
def zcard(memory: Memory, name: bytes) -> int:
    return len(memory.get(name) or ())


@commands.add
def zrange(memory: Memory, name: bytes, start: bytes, end: bytes, *options: bytes) -> list[bytes]:
    pairs = (memory.get(name) or Zset()).in_order()
    last = len(pairs) + int(end) if int(end) < 0 else int(end)
    return _members(pairs[int(start) : last + 1], options)


@commands.add
def zrangebyscore(
    memory: Memory, name: bytes, low: bytes, high: bytes, *options: bytes
) -> list[bytes]:
    words = [option.upper() for option in options]
    least, most = number(low), number(high)
    pairs = (memory.get(name) or Zset()).in_order()
    found = [pair for pair in pairs if least <= pair[1] <= most]
    if b"LIMIT" in words:
        at = words.index(b"LIMIT")
        start, count = int(options[at + 1]), int(options[at + 2])
        found = found[start:] if count < 0 else found[start : start + count]
    return _members(found, words)


def _members(pairs: Sequence[tuple[bytes, float]], options: Sequence[bytes]) -> list[bytes]:
    if b"WITHSCORES" in [option.upper() for option in options]:
        return [part for member, score in pairs for part in (member, score_text(score))]
    return [member for member, _ in pairs]


# Lists and streams


@commands.add
def rpush(memory: Memory, name: bytes, *values: bytes) -> int:
    found = memory.get_or_make(name, list)
    found.extend(values)
    return len(found)


@commands.add
def xadd(memory: Memory, name: bytes, star: bytes, *fields: bytes) -> bytes:
    assert star == b"*", star
    stream: Stream = memory.get_or_make(name, Stream)
    return stream.add(memory.clock() // 1000, list(fields))


@commands.add
def xrange(
    memory: Memory, name: bytes, start: bytes, end: bytes, *options: bytes
) -> list[list[Any]]:
    stream: Stream = memory.get(name) or Stream()
    found = stream.between(start, end)
    return found[: int(options[1])] if options else found


@commands.add
def xdel(memory: Memory, name: bytes, *entries: bytes) -> int:
    stream: Stream = memory.get(name) or Stream()
    return stream.remove(entries)


@commands.add
def time(memory: Memory) -> list[bytes]:
    seconds, microseconds = divmod(memory.clock(), 1_000_000)
    return [b"%d" % seconds, b"%d" % microseconds]


@commands.add
def ping(memory: Memory) -> bytes:
    del memory
    return Status(b"PONG")


def run_command(memory: Memory, words: Sequence[bytes]) -> Any:
    """One command on this memory. Raises `KeyError` for one the engine does not use."""
    command: Callable[..., Any] = commands.by_name[words[0].upper()]
    return command(memory, *words[1:])

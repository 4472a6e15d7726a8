"""What lies in the memory of a Redis: values by key, with their ends, copied as a whole."""

from collections.abc import Callable, Iterable
from typing import Any


class Status(bytes):
    """A status reply such as OK, which Lua sees as a table."""

    __slots__ = ()


class Zset(dict[bytes, float]):
    """Members with their scores."""

    def in_order(self) -> list[tuple[bytes, float]]:
        return sorted(self.items(), key=lambda pair: (pair[1], pair[0]))


class Stream:
    """Entries in the order of their ids; the last id is kept when its entry is gone."""

    def __init__(self) -> None:
        self.entries: dict[tuple[int, int], list[bytes]] = {}
        self.last = (0, 0)

    def add(self, now_ms: int, fields: list[bytes]) -> bytes:
        self.last = (now_ms, 0) if now_ms > self.last[0] else (self.last[0], self.last[1] + 1)
        self.entries[self.last] = fields
        return _id_text(self.last)

    def between(self, start: bytes, end: bytes) -> list[list[Any]]:
        low = (0, 0) if start == b"-" else _id(start)
        high = self.last if end == b"+" else _id(end)
        return [[_id_text(at), fields] for at, fields in self.entries.items() if low <= at <= high]

    def remove(self, ids: Iterable[bytes]) -> int:
        return sum(self.entries.pop(_id(each), None) is not None for each in ids)

    def copied(self) -> "Stream":
        copy = Stream()
        copy.entries, copy.last = dict(self.entries), self.last
        return copy


class Memory:
    """All keys. `clock` gives the time in microseconds since the epoch; ends are ms of it."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self.clock = clock
        self.data: dict[bytes, Any] = {}
        self.expires: dict[bytes, int] = {}

    def get(self, name: bytes) -> Any:
        """The value, or None; one whose end has come is gone."""
        end = self.expires.get(name)
        if end is not None and end <= self.clock() // 1000:
            self.drop(name)
        return self.data.get(name)

    def put(self, name: bytes, value: bytes) -> None:
        self.data[name] = value
        self.expires.pop(name, None)

    def drop(self, name: bytes) -> bool:
        self.expires.pop(name, None)
        return self.data.pop(name, None) is not None

    def get_or_make(self, name: bytes, kind: Callable[[], Any]) -> Any:
        found = self.get(name)
        if found is None:
            found = self.data[name] = kind()
        return found

    def remove(self, name: bytes, parts: Iterable[bytes]) -> int:
        """Take parts out of a hash or zset; an empty one is gone."""
        found = self.get(name)
        if found is None:
            return 0
        gone = sum(found.pop(part, None) is not None for part in parts)
        if not found:
            self.drop(name)
        return gone

    def copied(self) -> "Memory":
        """A snapshot that nothing changes any more."""
        copy = Memory(self.clock)
        copy.data = {name: _copied(value) for name, value in self.data.items()}
        copy.expires = dict(self.expires)
        return copy


class Commands:
    """Commands by name; a trailing underscore keeps Python's own words apart."""

    def __init__(self) -> None:
        self.by_name: dict[bytes, Callable[..., Any]] = {}

    def add(self, command: Callable[..., Any]) -> Callable[..., Any]:
        name = {"delete": "del"}.get(command.__name__, command.__name__).rstrip("_")
        self.by_name[name.upper().encode()] = command
        return command


def number(text: bytes) -> float:
    return float(text)


def score_text(score: float) -> bytes:
    return b"%d" % int(score) if score.is_integer() else repr(score).encode()


def _copied(value: Any) -> Any:
    if isinstance(value, Stream):
        return value.copied()
    if isinstance(value, Zset):
        return Zset(value)
    return value if isinstance(value, bytes) else value.copy()


def _id(text: bytes) -> tuple[int, int]:
    milliseconds, _, sequence = text.partition(b"-")
    return int(milliseconds), int(sequence or 0)


def _id_text(entry: tuple[int, int]) -> bytes:
    return b"%d-%d" % entry

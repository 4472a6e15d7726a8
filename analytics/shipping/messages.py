"""What every source of messages looks like to the shipper."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message as it was read.

    `place`: where its source finds it again, for the source alone and for people. `document`:
    what it becomes, or None if it cannot be read, and `problem` says why. `raw`: as it came, for
    the dead letters.
    """

    place: Any
    raw: bytes
    document: dict[str, Any] | None = None
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What one read gave. `more`: there is probably more where this came from."""

    messages: Sequence[Message]
    more: bool


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where messages wait. `forget` takes what was read and is now safe; it may be repeated."""

    name: str
    collection: str
    read: Callable[[], Batch]
    forget: Callable[[Sequence[Message]], None]

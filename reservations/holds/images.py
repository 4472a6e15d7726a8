"""A departure's image as `view.lua` gives it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from reservations.holds.members import Member, parse

REMEMBERED: Final = 16_384  # some 1 KB each

# In a rush everybody looks at the same thousand holds.
_read: Final = lru_cache(maxsize=REMEMBERED)(parse)


@dataclass(frozen=True)
class Image:
    """One departure as Redis sees it, holds that are over left out.

    `held`, `sold`, `blocked`: seat images (see `stretches`), empty unless `loaded`; a blocked seat
    is in `sold` as well. `kept`, `waiting`: the waitlist's mark (see `availability.waiting`).
    `members` are given where they were asked for, or nothing is loaded.
    """

    departure: int
    loaded: bool
    revision: str
    held: bytes
    sold: bytes
    blocked: bytes
    members: tuple[Member, ...]
    now_ms: int
    kept: bytes = b""
    waiting: str = ""


def image_of(departure: int, answer: Sequence[Any]) -> Image:
    """Read what `view.lua` answered of a departure."""
    _, loaded, revision, _, held, sold, blocked, now_ms, _, live, confirming, *mark = answer
    return Image(
        departure=departure,
        loaded=loaded == b"1",
        revision=revision.decode(),
        held=held,
        sold=sold,
        blocked=blocked,
        members=(*_members(live, pinned=False), *_members(confirming, pinned=True)),
        now_ms=int(now_ms),
        kept=mark[0],
        waiting=mark[1].decode(),
    )


def _members(pairs: Sequence[bytes], *, pinned: bool) -> list[Member]:
    """Members and scores, one after the other; one that cannot be read is left to the reap."""
    found = []
    for member, score in zip(pairs[::2], pairs[1::2], strict=True):
        try:
            found.append(_read(member, int(float(score)), pinned=pinned))
        except ValueError:
            continue
    return found

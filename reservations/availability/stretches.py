"""A stretch of a train, and its bits in the seat image.

The image gives each seat one 32-bit little-endian word for every 32 legs; leg k is bit `k % 32`
of word `k // 32`.
"""

from dataclasses import dataclass
from typing import Protocol

WORD_BITS = 32
WORD_BYTES = 4


def words_for(legs: int) -> int:
    """How many 32-bit words hold a bit for each of `legs` legs; at least one."""
    return max(1, -(-legs // WORD_BITS))


def pack_mask(from_stop: int, to_stop: int, words: int) -> bytes:
    """The bits of legs [from_stop, to_stop) as `words` little-endian 32-bit words.

    Raises ValueError for a range that is empty, negative or longer than the words.
    """
    if not 0 <= from_stop < to_stop <= words * WORD_BITS:
        raise ValueError(f"legs [{from_stop}, {to_stop}) do not fit in {words} words")
    bits = (1 << to_stop) - (1 << from_stop)
    return bits.to_bytes(words * WORD_BYTES, "little")


class HasStretch(Protocol):
    """A stretch, or what is on one: a hold."""

    @property
    def from_stop(self) -> int: ...

    @property
    def to_stop(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Stretch:
    """The half-open leg range [from_stop, to_stop): leg k runs from stop k to stop k + 1."""

    from_stop: int
    to_stop: int

    @property
    def legs(self) -> int:
        return self.to_stop - self.from_stop

    def mask(self, words: int) -> bytes:
        """Its bits, as the image has them (`pack_mask`)."""
        return pack_mask(self.from_stop, self.to_stop, words)

    def overlaps(self, other: "HasStretch") -> bool:
        """Whether a leg belongs to both; stretches that only touch do not overlap."""
        return self.from_stop < other.to_stop and other.from_stop < self.to_stop

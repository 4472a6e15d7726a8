"""Fares as a member carries them, so that a fare is fixed, part by part, when the seats are held.

    930.00/2x40.00:405.00:20.00
    667.50/1x40.00:405.00+1x40.00:405.00:0.00:0.00:-222.50@child/p

The sum of all seats; then seats in order of their ordinals, as many as pay the same in one run,
their parts in the order of `trains.fares.PARTS` up to the last that is not nothing, and the
concession granted; then `p` where the travellers were named with the lock. No space, `=`, `,` or
`/` occurs in a part. A bare sum is a hold of which the parts are not known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from itertools import groupby
from typing import Final

from trains.fares import PARTS, ZERO, SeatFare, parts_of

_NAMED: Final = "p"
MOST_HAVE: Final = 2  # a base and a distance
REMEMBERED: Final = 4_096


@dataclass(frozen=True, slots=True)
class HeldFare:
    """`total` is for all seats, `parts` what it is made of; `seats` run beside the member's. Both
    are empty where not known.
    """

    total: Decimal
    seats: tuple[SeatFare, ...] = ()
    names_kept: bool = False
    parts: Mapping[str, Decimal] = field(default_factory=dict)


def write(seats: Sequence[SeatFare], *, names_kept: bool = False) -> str:
    """The fare of these seats as one word."""
    total = sum((seat.total for seat in seats), ZERO)
    runs = "+".join(f"{len(list(run))}x{_seat(seat)}" for seat, run in groupby(seats))
    return f"{total}/{runs}" + (f"/{_NAMED}" if names_kept else "")


@lru_cache(maxsize=REMEMBERED)
def read(text: str) -> HeldFare:
    """Remembered: a sale writes few different fares. Raises `ValueError` or `ArithmeticError` for
    what `write` did not write.
    """
    total, *rest = text.split("/")
    seats: list[SeatFare] = []
    for run in rest[0].split("+") if rest else ():
        count, _, seat = run.partition("x")
        seats += [_read_seat(seat)] * int(count)
    return HeldFare(Decimal(total), tuple(seats), _NAMED in rest[1:], parts_of(seats))


def _seat(fare: SeatFare) -> str:
    parts = [getattr(fare, part) for part in PARTS]
    while len(parts) > MOST_HAVE and not parts[-1]:
        parts.pop()
    amounts = ":".join(map(str, parts))
    return f"{amounts}@{fare.granted}" if fare.granted else amounts


def _read_seat(text: str) -> SeatFare:
    amounts, _, granted = text.partition("@")
    parts = dict(zip(PARTS, map(Decimal, amounts.split(":")), strict=False))
    return SeatFare(**parts, granted=granted)

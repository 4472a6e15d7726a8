"""The states of an entry, what they mean, and every legal move between them.

    waiting     in the queue; seats of the class are kept from new locks on its legs
      ├──> offered      a hold was made for it, to be confirmed or paid in time
      ├──> confirmed    prepaid or free: booked without being asked
      ├──> lapsed       the chart was closed
      └──> left         its owner gave up the place
    offered
      ├──> confirmed    the hold became a booking
      ├──> lapsed       the offer was not taken in time, or was given back
      ├──> left         its owner gave up the place, and the offer with it
      └──> waiting      the hold was lost, by no fault of its owner, or the entry changed hands:
                        the same place in the queue

`STAGE` numbers the facts of one entry: order is (stage, number), and no clock is asked.
"""

from enum import StrEnum
from typing import Final


class EntryState(StrEnum):
    WAITING = "waiting"
    OFFERED = "offered"
    CONFIRMED = "confirmed"
    LAPSED = "lapsed"
    LEFT = "left"


IN_QUEUE: Final = (EntryState.WAITING, EntryState.OFFERED)

ENTRY_MOVES: Final[frozenset[tuple[EntryState, EntryState]]] = frozenset(
    {
        (EntryState.WAITING, EntryState.OFFERED),
        (EntryState.WAITING, EntryState.CONFIRMED),
        (EntryState.WAITING, EntryState.LAPSED),
        (EntryState.WAITING, EntryState.LEFT),
        (EntryState.OFFERED, EntryState.CONFIRMED),
        (EntryState.OFFERED, EntryState.LAPSED),
        (EntryState.OFFERED, EntryState.LEFT),
        (EntryState.OFFERED, EntryState.WAITING),
    }
)

# What a move is called in the trail, by the state it leads to.
TOLD: Final[dict[EntryState, str]] = {
    EntryState.WAITING: "requeued",
    EntryState.OFFERED: "offered",
    EntryState.CONFIRMED: "confirmed",
    EntryState.LAPSED: "lapsed",
    EntryState.LEFT: "left",
}
STAGE: Final[dict[str, int]] = {
    "joined": 1,
    "offered": 2,
    "requeued": 2,
    "confirmed": 3,
    "lapsed": 3,
    "left": 3,
}

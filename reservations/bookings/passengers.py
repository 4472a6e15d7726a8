"""Who sits on a seat, as clients say it and as a booked seat keeps it.

Personal data lives here, in `BookedSeat.passenger` and, for the minutes of a hold, in one Redis
key (`holds/people.py`). It is in no fact, log or ticket row.
"""

from typing import Annotated, Any, Literal

import msgspec

BerthPreference = Literal[
    "lower", "middle", "upper", "side-lower", "side-middle", "side-upper", "window", "aisle"
]


class Passenger(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who sits on a seat. `age` in whole years, on the day of travel."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    age: Annotated[int, msgspec.Meta(ge=0, le=130)] | None = None
    gender: Annotated[str, msgspec.Meta(max_length=20)] | None = None
    berth_preference: BerthPreference | None = None


def to_json(passenger: Passenger) -> dict[str, Any]:
    """As `BookedSeat.passenger` keeps it: what was not said is left out."""
    kept: dict[str, Any] = msgspec.to_builtins(passenger)
    return kept

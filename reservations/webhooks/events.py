"""Which facts partners are told of: the table from facts to event types.

To tell of another fact, add a row. A row names the type that partners subscribe to, the members of
the fact's body that are told (nothing else leaves the house, and no name or address is in a fact),
and what is told besides. Several facts may be one type; `status` tells them apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True)
class Event:
    """`type`: as partners know it. `told`: members of the fact's body, those that are there."""

    type: str
    told: tuple[str, ...]
    more: Mapping[str, Any] = field(default_factory=dict)


_BOOKING: Final = ("pnr", "hold", "departure", "train", "service_date", "source", "destination")
_ENTRY: Final = ("entry", "pnr", "hold", "departure", "travel_class", "count")
_REFUND: Final = ("pnr", "hold", "payment", "refund", "amount", "currency", "reason")

EVENTS: Final[dict[str, Event]] = {
    "booking.confirmed": Event(
        "booking.confirmed", (*_BOOKING, "seats", "travel_classes", "fare", "currency")
    ),
    "booking.cancelled": Event(
        "booking.cancelled", (*_BOOKING, "seats", "refund", "currency", "rule")
    ),
    "booking.seats-cancelled": Event(
        "booking.seats-cancelled", (*_BOOKING, "seats", "refund", "currency", "rule")
    ),
    "booking.reseated": Event("booking.reseated", (*_BOOKING, "seats")),
    "booking.changed": Event(
        "booking.changed",
        (*_BOOKING, "from_departure", "seats", "fare", "difference", "currency"),
    ),
    "refund.done": Event("booking.refunded", _REFUND),
    "waitlist.offered": Event("waitlist.served", _ENTRY, {"status": "offered"}),
    "waitlist.confirmed": Event("waitlist.served", _ENTRY, {"status": "confirmed"}),
}

TYPES: Final = tuple(dict.fromkeys(event.type for event in EVENTS.values()))


def data_of(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """What is told of a fact."""
    event = EVENTS[kind]
    return {name: body[name] for name in event.told if name in body} | dict(event.more)

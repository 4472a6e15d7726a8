"""The layout of a vehicle: what its seats are called, and where they stand.

The format is told in `VehicleTemplate`; this module holds its one reader. A layout comes from
outside (staff, data files), so everything about it is checked here and nowhere else.
"""

from typing import Annotated, Any, Final, Literal

import msgspec
from django.core.exceptions import ValidationError

from config.errors import Invalid
from trains import limits

POSITIONS: Final = frozenset(
    {"window", "middle", "aisle", "lower", "upper", "side-lower", "side-middle", "side-upper"}
)
"""Where a seat is: beside what, or (berths) how high and on which side of the aisle."""

_Extent = Annotated[int, msgspec.Meta(ge=0, le=limits.LAYOUT_EXTENT_MAX)]


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One seat of the unit; `x` across and `y` along the vehicle in seat widths, deck 0 lowest."""

    position: Annotated[str, msgspec.Meta(max_length=16)]
    x: _Extent
    y: _Extent
    deck: Annotated[int, msgspec.Meta(ge=0, lt=limits.DECKS_MAX)] = 0


class Layout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The repeating unit of a vehicle, and how many seats the whole vehicle has."""

    unit: Literal["bay", "row"]
    capacity: Annotated[int, msgspec.Meta(ge=1, le=limits.COACH_SEATS_MAX)]
    seats: Annotated[
        tuple[Place, ...], msgspec.Meta(min_length=1, max_length=limits.LAYOUT_SEATS_MAX)
    ]


def parse(data: Any) -> Layout:
    """Read a layout from JSON values.

    Raises `Invalid` for a wrong shape, an unknown position, or two seats in one place.
    """
    try:
        layout = msgspec.convert(data, Layout)
    except msgspec.ValidationError as wrong:
        raise Invalid({"layout": [str(wrong)]}) from None
    taken: set[tuple[int, int, int]] = set()
    for index, seat in enumerate(layout.seats):
        if seat.position not in POSITIONS:
            known = ", ".join(sorted(POSITIONS))
            raise Invalid({f"layout.seats.{index}.position": [f"Must be one of {known}."]})
        place = (seat.x, seat.y, seat.deck)
        if place in taken:
            raise Invalid({f"layout.seats.{index}": ["Another seat stands in this place."]})
        taken.add(place)
    return layout


def validate(data: Any) -> None:
    """The same check in the words of Django's model validation, for the admin pages."""
    try:
        parse(data)
    except Invalid as wrong:
        raise ValidationError(str(wrong)) from None


def schema() -> dict[str, Any]:
    """The format as one JSON schema without references, for the API's description."""
    document = msgspec.json.schema(Layout)
    definitions: dict[str, dict[str, Any]] = document["$defs"]
    layout = definitions["Layout"]
    place = definitions["Place"]
    place["properties"]["position"]["enum"] = sorted(POSITIONS)
    layout["properties"]["seats"]["items"] = place
    return layout

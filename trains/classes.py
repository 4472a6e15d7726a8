"""The travel classes we know: their names for people, and the order they are listed in.

A feed or a member of staff may bring any other class; it is sold all the same, under its own
code, after these.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class TravelClass:
    """`order` goes from the most to the least expensive."""

    code: str
    name: str
    order: int


_NAMES: Final = (
    ("1A", "First AC"),
    ("EC", "Executive chair car"),
    ("2A", "AC 2-tier sleeper"),
    ("3A", "AC 3-tier sleeper"),
    ("3E", "AC 3-tier economy"),
    ("CC", "AC chair car"),
    ("SL", "Sleeper"),
    ("2S", "Second sitting"),
    ("GEN", "General"),
    ("BERTH", "Bus berth"),
    ("SEAT", "Bus seat"),
)
CLASSES: Final = {
    code: TravelClass(code=code, name=name, order=order)
    for order, (code, name) in enumerate(_NAMES)
}


def class_name(code: str) -> str:
    """The name for people; a class we do not know is called by its code."""
    known = CLASSES.get(code)
    return known.name if known else code


def sort_key(code: str) -> tuple[int, str]:
    """Sorts class codes from the most to the least expensive, unknown ones last by code."""
    known = CLASSES.get(code)
    return (known.order if known else len(CLASSES), code)

"""Which coaches a train of a feed gets: GTFS knows of none.

A believable train for the length of the journey, the same for every train of a kind. Staff own
the coaches from then on; an import never changes those of a train that exists.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from django.db import connection

from trains import layouts
from trains.gtfs.staging import copy_rows
from trains.models import Coach, Train, VehicleTemplate

LONG_DISTANCE_KM: Final = 400
LONG_DISTANCE_SECONDS: Final = 8 * 3600
REGIONAL_KM: Final = 100
REGIONAL_SECONDS: Final = 2 * 3600
NIGHT_BUS_SECONDS: Final = 6 * 3600

Formation = tuple[tuple[str, str, int], ...]
"""Label prefix, template code and number of coaches, from the head of the train."""

LONG_DISTANCE: Final[Formation] = (
    ("G", "GEN-90", 2),
    ("S", "SL-72", 8),
    ("B", "3A-64", 3),
    ("A", "2A-48", 1),
)
REGIONAL: Final[Formation] = (("G", "GEN-90", 2), ("D", "2S-108", 4), ("C", "CC-78", 2))
LOCAL: Final[Formation] = (("D", "2S-108", 4), ("C", "CC-78", 2))
DAY_BUS: Final[Formation] = (("B", "BUS-2x2-40", 1),)
NIGHT_BUS: Final[Formation] = (("B", "BUS-SLEEPER-30", 1),)

_NEW_TRAINS: Final = """
SELECT train_id, mode, distance_km, duration_seconds
  FROM gtfs_train WHERE fate = 'new' ORDER BY train_id
"""
_COLUMNS: Final = ("train_id", "label", "travel_class", "template_id", "capacity", '"order"')


@dataclass(frozen=True, slots=True)
class _Kind:
    """A template, read once."""

    template_id: int
    travel_class: str
    capacity: int


def formation_of(*, mode: str, distance_km: float, duration_seconds: int) -> Formation:
    """The coaches for a journey of this length; either measure can make it a long one."""
    if mode == Train.Mode.BUS:
        return NIGHT_BUS if duration_seconds >= NIGHT_BUS_SECONDS else DAY_BUS
    if distance_km > LONG_DISTANCE_KM or duration_seconds > LONG_DISTANCE_SECONDS:
        return LONG_DISTANCE
    if distance_km > REGIONAL_KM or duration_seconds > REGIONAL_SECONDS:
        return REGIONAL
    return LOCAL


def couple_coaches() -> tuple[int, int]:
    """Give every new train of the import its coaches; return how many, and their seats to make.

    The seat rows are the caller's to make. The templates must have been loaded.
    """
    kinds = _read_kinds()
    with connection.cursor() as cursor:
        cursor.execute(_NEW_TRAINS)
        trains = cursor.fetchall()
    seats = 0
    rows = []
    for train_id, mode, distance_km, duration_seconds in trains:
        formation = formation_of(
            mode=mode, distance_km=float(distance_km), duration_seconds=duration_seconds
        )
        for row in _coaches(train_id, formation, kinds):
            seats += row[4]
            rows.append(row)
    coaches = copy_rows(Coach._meta.db_table, _COLUMNS, rows)  # noqa: SLF001  # documented API
    return coaches, seats


def _read_kinds() -> dict[str, _Kind]:
    codes = {
        code
        for formation in (LONG_DISTANCE, REGIONAL, LOCAL, DAY_BUS, NIGHT_BUS)
        for _, code, _ in formation
    }
    return {
        template.code: _Kind(
            template_id=template.pk,
            travel_class=template.travel_class,
            capacity=layouts.parse(template.layout).capacity,
        )
        for template in VehicleTemplate.objects.filter(code__in=codes)
    }


def _coaches(
    train_id: int, formation: Formation, kinds: dict[str, _Kind]
) -> Iterator[tuple[Any, ...]]:
    places = count()
    for prefix, code, coaches in formation:
        kind = kinds[code]
        for number in range(1, coaches + 1):
            label = f"{prefix}{number}"
            yield (
                train_id, label, kind.travel_class, kind.template_id, kind.capacity, next(places),
            )  # fmt: skip

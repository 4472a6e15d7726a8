"""Read plans from PostgreSQL: a fixed number of queries for any number of departures."""

import json
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np
from django.db import connection

from config.stores.postgres.prepared import prepared_cursor
from reservations.availability.train_plan import NO_SEAT, PlannedCoach, PlannedStop, TrainPlan
from trains.limits import ID_MAX
from trains.models import Train

# One row a train: a thousand seats as arrays are read twenty times as fast as a thousand rows.
_SEATS = """
SELECT train_id, array_agg(id), array_agg(ordinal), array_agg(coach_id), array_agg(number),
       array_agg(position)
  FROM trains_seat WHERE train_id = ANY(%s) GROUP BY train_id
"""
_STOPS = """
SELECT s.train_id, g.code, g.name, g.timezone, s.arrival_seconds, s.departure_seconds,
       s.distance_km, s.pickup, s.drop_off
  FROM trains_stop s JOIN trains_station g ON g.id = s.station_id
 WHERE s.train_id = ANY(%s) ORDER BY s.train_id, s.sequence
"""
_COACHES = """
SELECT c.train_id, c.id, c.label, c.travel_class, coalesce(t.code, ''), c."order", t.layout
  FROM trains_coach c LEFT JOIN trains_vehicletemplate t ON t.id = c.template_id
 WHERE c.train_id = ANY(%s) ORDER BY c.train_id, c."order", c.id
"""


# No two fare tables are valid on one date: an exclusion constraint says so.
_DEPARTURES = """
SELECT d.id, d.train_id, t.revision, d.service_date, d.starts_at, d.ends_at, d.status,
       d.sale_opens_at, d.fare_factor, d.revision, f.id, coalesce(f.revision, 0)
  FROM trains_departure d
  JOIN trains_train t ON t.id = d.train_id
  LEFT JOIN trains_faretable f ON f.valid_from <= d.service_date
   AND (f.valid_to IS NULL OR f.valid_to >= d.service_date)
 WHERE d.id = ANY(%s::bigint[])
"""


@dataclass(frozen=True, slots=True)
class DepartureRow:
    """A departure with the revision of its train and of its fares, as read in one query.

    `fare_table` is the one valid on the service date, or None: a gap.
    """

    id: int
    train_id: int
    train_revision: int
    service_date: date
    starts_at: datetime
    ends_at: datetime
    status: str
    sale_opens_at: datetime
    fare_factor: Decimal
    revision: int
    fare_table: int | None = None
    fare_revision: int = 0


def read_departures(departures: Collection[int]) -> list[DepartureRow]:
    """The departures that exist; one query."""
    possible = [departure for departure in departures if 0 < departure <= ID_MAX]
    with prepared_cursor(binary=True) as cursor:
        cursor.execute(_DEPARTURES, [possible])
        return [DepartureRow(*row) for row in cursor.fetchall()]


def read_trains(trains: Collection[int]) -> list[TrainPlan]:
    """Plans of these trains; four queries.

    They need not run in one snapshot: a change moves the train's revision with it, in its own
    transaction, and the revision is read first. So a plan may be newer than it says, in which
    case it is read again, but never older.
    """
    heads = Train.objects.filter(pk__in=trains).values_list(
        "id", "number", "name", "mode", "timezone", "revision", "superfast"
    )
    wanted = list(heads)
    ids = [head[0] for head in wanted]
    stops = _by_train(_STOPS, ids)
    seats = _by_train(_SEATS, ids)
    coaches = _by_train(_COACHES, ids)  # after the seats: no seat without its coach
    return [
        _plan(head, stops.get(head[0], ()), coaches.get(head[0], ()), seats.get(head[0], ()))
        for head in wanted
    ]


def _by_train(query: str, trains: Sequence[int]) -> dict[int, list[tuple[Any, ...]]]:
    found: dict[int, list[tuple[Any, ...]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(query, [list(trains)])
        for train, *row in cursor.fetchall():
            found.setdefault(train, []).append(tuple(row))
    return found


def _plan(
    head: tuple[Any, ...],
    stops: Sequence[tuple[Any, ...]],
    coach_rows: Sequence[tuple[Any, ...]],
    seat_rows: Sequence[tuple[Any, ...]],
) -> TrainPlan:
    train, number, name, mode, timezone, revision, superfast = head
    coaches = tuple(_coach(*row[1:]) for row in coach_rows)
    class_names = tuple(dict.fromkeys(coach.travel_class for coach in coaches))
    seats = _seats(coach_rows, seat_rows[0] if seat_rows else ((), (), (), (), ()))
    classes_by_coach = np.array([class_names.index(c.travel_class) for c in coaches], np.int16)
    there = seats.seat_ids != NO_SEAT
    class_of = np.full(len(there), -1, np.int16)
    class_of[there] = classes_by_coach[seats.coach_of[there]]
    labels, ordinal_of = _labels(
        tuple(
            sys.intern(f"{coaches[coach].label}-{place}") if coach >= 0 else ""
            for coach, place in zip(seats.coach_of.tolist(), seats.numbers.tolist(), strict=True)
        )
    )
    return TrainPlan(
        id=train,
        number=number,
        name=name,
        mode=mode,
        timezone=timezone,
        revision=revision,
        stops=tuple(PlannedStop(*map(_interned, row)) for row in stops),
        coaches=coaches,
        seat_ids=seats.seat_ids,
        labels=labels,
        ordinal_of=ordinal_of,
        class_names=class_names,
        class_of=class_of,
        coach_of=seats.coach_of,
        numbers=seats.numbers,
        positions=seats.positions,
        classes={name: np.flatnonzero(class_of == at) for at, name in enumerate(class_names)},
        superfast=superfast,
    )


@dataclass(frozen=True, slots=True)
class _Seats:
    """The seats of a train by ordinal; -1 and "" where there is none."""

    seat_ids: "np.ndarray[Any, np.dtype[np.int64]]"
    coach_of: "np.ndarray[Any, np.dtype[np.int16]]"
    numbers: "np.ndarray[Any, np.dtype[np.int16]]"
    positions: tuple[str, ...]


def _seats(coach_rows: Sequence[tuple[Any, ...]], seat_row: tuple[Any, ...]) -> _Seats:
    ids, ordinals, coach_ids, numbers, positions = seat_row
    places = max(ordinals, default=-1) + 1
    index_of = {row[0]: index for index, row in enumerate(coach_rows)}
    where = np.array(ordinals, np.int64)
    seat_ids = np.full(places, NO_SEAT, np.int64)
    coach_of = np.full(places, -1, np.int16)
    numbers_of = np.full(places, -1, np.int16)
    if places:
        seat_ids[where] = ids
        coach_of[where] = [index_of[coach] for coach in coach_ids]
        numbers_of[where] = numbers
    named = dict(zip(ordinals, positions, strict=True))
    return _Seats(
        seat_ids=seat_ids,
        coach_of=coach_of,
        numbers=numbers_of,
        positions=_shared(tuple(sys.intern(named.get(place, "")) for place in range(places))),
    )


def _coach(label: str, travel_class: str, template: str, order: int, layout: Any) -> PlannedCoach:
    # A raw cursor hands jsonb over as text.
    document: Mapping[str, Any] = json.loads(layout) if isinstance(layout, str) else layout or {}
    return PlannedCoach(
        label=sys.intern(label),
        travel_class=sys.intern(travel_class),
        template=sys.intern(template),
        order=order,
        unit=sys.intern(document.get("unit", "")),
        places=tuple(
            (float(seat["x"]), float(seat["y"]), int(seat.get("deck", 0)))
            for seat in document.get("seats", ())
        ),
    )


def _interned(value: Any) -> Any:
    return sys.intern(value) if isinstance(value, str) else value


# Most trains are made up like many others: one copy of what depends on nothing else.
@lru_cache(maxsize=512)
def _labels(labels: tuple[str, ...]) -> tuple[tuple[str, ...], Mapping[str, int]]:
    ordinals = {label: ordinal for ordinal, label in enumerate(labels) if label}
    return labels, MappingProxyType(ordinals)


@lru_cache(maxsize=512)
def _shared(values: tuple[str, ...]) -> tuple[str, ...]:
    return values

"""The plan of a departure, from this process's memory or else from PostgreSQL.

A plan in memory may be old. Whoever acts on it compares `Plan.revision` with the revision the
seat image was loaded for; when they differ the plan is forgotten and read again.
"""

from collections.abc import Collection, Iterable, Sequence

from config.errors import NotFound
from reservations.availability.memory import BoundedMemory
from reservations.availability.plan_rows import DepartureRow, read_departures, read_trains
from reservations.availability.stretches import Stretch, pack_mask
from reservations.availability.train_plan import (
    Plan,
    PlannedCoach,
    PlannedStop,
    TrainPlan,
)
from trains.fare_tables import read_fare_tables
from trains.fares import FareTable

__all__ = [
    "Plan",
    "PlannedCoach",
    "PlannedStop",
    "Stretch",
    "TrainPlan",
    "forget",
    "forget_all",
    "pack_mask",
    "plan_of",
    "plans_for",
    "plans_of",
    "read_again",
]

# A train of 1,000 seats takes some 40 KB, a departure half a kilobyte.
TRAINS_IN_MEMORY = 1_024
DEPARTURES_IN_MEMORY = 16_384
FARE_TABLES_IN_MEMORY = 64

_trains: BoundedMemory[tuple[int, int], TrainPlan] = BoundedMemory(TRAINS_IN_MEMORY)
_departures: BoundedMemory[int, DepartureRow] = BoundedMemory(DEPARTURES_IN_MEMORY)
_fares: BoundedMemory[tuple[int, int], FareTable] = BoundedMemory(FARE_TABLES_IN_MEMORY)
_plans: BoundedMemory[int, tuple[DepartureRow, Plan]] = BoundedMemory(DEPARTURES_IN_MEMORY)


def plan_of(departure: int) -> Plan:
    """The plan of a departure; no SQL when it is in memory. Raises `NotFound`."""
    row = _departures.get(departure)
    plan = _plan_made(row) if row is not None else None
    if plan is not None:
        return plan
    try:
        return plans_of([departure])[departure]
    except KeyError:
        raise NotFound(f"There is no departure {departure}.") from None


def plans_of(departures: Collection[int]) -> dict[int, Plan]:
    """The plans of those departures that exist, in the order asked.

    At most six queries for any number of departures; none for what is in memory.
    """
    known = {departure: _departures.get(departure) for departure in departures}
    missing = [departure for departure, row in known.items() if row is None]
    if missing:
        for row in read_departures(missing):
            known[row.id] = row
    return plans_for([row for row in known.values() if row is not None])


def read_again(departures: Collection[int]) -> dict[int, Plan]:
    """As `plans_of`, with the departures themselves read anew: for answers that must show what
    staff changed a moment ago. One query more than the trains that are not in memory need.
    """
    plans = plans_for(read_departures(departures))
    return {departure: plans[departure] for departure in departures if departure in plans}


def plans_for(rows: Iterable[DepartureRow]) -> dict[int, Plan]:
    """The plans of departures somebody has just read; the rows replace what was remembered."""
    rows = list(rows)
    plans: dict[int, Plan | None] = {row.id: _plan_made(row) for row in rows}
    new = [row for row in rows if plans[row.id] is None]
    plans |= _make_plans(new) if new else {}
    return {departure: plan for departure, plan in plans.items() if plan is not None}


def _plan_made(row: DepartureRow) -> Plan | None:
    """The plan that was made of this row, or of one that says the same."""
    kept = _plans.get(row.id)
    if kept is None or not (kept[0] is row or kept[0] == row):
        return None
    if kept[0] is not row:
        _departures.put(row.id, kept[0])
    return kept[1]


def _make_plans(rows: Sequence[DepartureRow]) -> dict[int, Plan]:
    for row in rows:
        _departures.put(row.id, row)
    trains = {row.train_id: _trains.get((row.train_id, row.train_revision)) for row in rows}
    missing = {row.train_id: row.train_revision for row in rows if trains[row.train_id] is None}
    if missing:
        for plan in read_trains(missing):
            trains[plan.id] = plan
            _trains.put((plan.id, plan.revision), plan)
            # The train may have moved since its departure was read: found by the old one too.
            _trains.put((plan.id, missing[plan.id]), plan)
    fares = _fares_for(rows)
    return {row.id: _plan(row, trains[row.train_id], fares.get(row.fare_table)) for row in rows}


def _fares_for(rows: Iterable[DepartureRow]) -> dict[int | None, FareTable]:
    """The fare tables of these departures, from memory or else in one query."""
    wanted = {(row.fare_table, row.fare_revision) for row in rows if row.fare_table is not None}
    known = {table: _fares.get((table, revision)) for table, revision in wanted}
    missing = {table: revision for table, revision in wanted if known[table] is None}
    for table in read_fare_tables(missing) if missing else ():
        known[table.id] = table
        _fares.put((table.id, table.revision), table)
        # It may have moved since its departure was read: found by the old revision too.
        _fares.put((table.id, missing[table.id]), table)
    return {table: found for table, found in known.items() if found is not None}


def forget(departure: int) -> None:
    """Read this departure, and its train if that has moved, from PostgreSQL when next asked."""
    _departures.drop(departure)


def forget_all() -> None:
    """Empty this process's memory of plans."""
    _departures.clear()
    _trains.clear()
    _fares.clear()
    _plans.clear()


def _plan(row: DepartureRow, train: TrainPlan | None, fares: FareTable | None) -> Plan:
    assert train is not None, f"departure {row.id} has no train"  # noqa: S101  # a foreign key
    plan = Plan(
        departure=row.id,
        train=train,
        service_date=row.service_date,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        status=row.status,
        sale_opens_at=row.sale_opens_at,
        fare_factor=row.fare_factor,
        departure_revision=row.revision,
        fares=fares,
    )
    _plans.put(row.id, (row, plan))
    return plan

"""The calls `make scale` makes at each point: as services, one after the other, each timed."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from django.db import connection

from config.stores import keys
from config.stores.redis import holds_store
from reservations.api.departures.search import render_found
from reservations.api.departures.seat_map import current_state, render_seats
from reservations.availability import find_departures as finding
from reservations.availability import taken_rows, timetable
from reservations.availability.plans import plan_of
from reservations.services.choose_seats import SeatWish
from reservations.services.confirm_booking import confirm_booking
from reservations.services.hold_seats import Owner, hold_seats
from tests.bench.figures import percentiles_ms
from trains.models import Departure

_EXPLAINED: Final[Mapping[str, str]] = {
    "search": "WITH pair AS",
    "seats taken": "reservations_seatblock",
    "stations": "FROM trains_station",
}


def next_runs(number: int) -> list[int]:
    """Departures of the next days nobody has measured on yet (their images are not loaded)."""
    found = Departure.objects.filter(train__number__startswith="line-").order_by(
        "-service_date", "-pk"
    )
    unused = (run for run in found.values_list("pk", flat=True) if not _is_loaded(run))
    return [run for run, _ in zip(unused, range(number), strict=False)]


def _is_loaded(run: int) -> bool:
    return bool(holds_store().exists(keys.of(run, "image")))


def measure(users: Sequence[int], runs: Sequence[int], calls: int) -> dict[str, Any]:
    """Each call so often, over these departures; milliseconds."""
    plans = {run: plan_of(run) for run in runs}
    for run in runs:
        current_state(run)  # the image is loaded, as that of any departure that is looked at
    stops = plans[runs[0]].train.stops
    wishes = []
    for at in range(calls):
        run = runs[at % len(runs)]
        plan = plans[run]
        label = plan.train.labels[(at // len(runs)) % plan.train.places]
        leg = at // len(runs) // plan.train.places % plan.train.legs
        names = plan.train.stops[leg].code, plan.train.stops[leg + 1].code
        wish = SeatWish(departure=run, source=names[0], destination=names[1], seats=(label,))
        wishes.append((Owner(users[at % len(users)], "measured"), wish))
    locked, views = timed(lambda ask: hold_seats(owner=ask[0], wish=ask[1]), wishes)
    pairs = [(ask[0], view.hold) for ask, view in zip(wishes, views, strict=True)]
    confirmed, _ = timed(lambda ask: confirm_booking(owner=ask[0], hold=ask[1]), pairs)
    day = plans[runs[0]].service_date
    asked = finding.Journey(source=stops[0].code, destination=stops[-1].code, day=day)
    return {
        "lock": locked,
        "confirm": confirmed,
        "seat map": timed(seat_map, [runs[at % len(runs)] for at in range(calls)])[0],
        "search": timed(search, [asked] * calls)[0],
        "load_1": load_now(),
    }


def load_now() -> float:
    """The machine's load in the last minute, for who reads an odd point."""
    return float(Path("/proc/loadavg").read_text().split()[0])


def timed(act: Callable[[Any], Any], items: Sequence[Any]) -> tuple[dict[str, float], list[Any]]:
    seconds, answers = [], []
    for item in items:
        started = time.perf_counter()
        answers.append(act(item))
        seconds.append(time.perf_counter() - started)
    return percentiles_ms(seconds), answers


def seat_map(run: int) -> bytes:
    plan, state = current_state(run)
    stops = plan.train.stops
    return render_seats(plan, state, plan.stretch(stops[0].code, stops[-1].code), None)


def search(journey: finding.Journey) -> Any:
    found, free = timetable.search(journey, limit=20, offset=0)
    return render_found(found, free, travel_class=None, seats=1)


def query_plans() -> dict[str, str]:
    """How PostgreSQL answers the queries of hot calls over all these rows."""
    runs = next_runs(20)
    plan = plan_of(runs[0])
    seen: dict[str, str] = {}

    def explain(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        name = next((each for each, part in _EXPLAINED.items() if part in sql), None)
        if name is not None and name not in seen:
            execute(f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {sql}", params, many, context)
            seen[name] = "\n".join(row[0] for row in context["cursor"].fetchall())
        return execute(sql, params, many, context)

    stops = plan.train.stops
    journey = finding.Journey(
        source=stops[0].code, destination=stops[-1].code, day=plan.service_date
    )
    with connection.execute_wrapper(explain):
        search(journey)
        taken_rows.read_taken({run: plan_of(run) for run in runs})
    return seen

"""`make bench`: every row side by side with the floor, in turns, in one run.

    for 16 and 64 connections, ROUNDS times:
        for each row: the floor for half as long, then the row for SECONDS
    then: pairs at fixed rates (open loop), what waits is shipped, a feed is imported

A row's ratio is its rate over the floor's rate just before it; the table has the median of the
rounds, with the least and the most. A row one of whose answers was not what it has to be is void,
and says so. Celery does not run meanwhile: its work is a row of its own, and `make record` has
everything on.
"""

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from django.conf import settings

from config.stores.redis import holds_store
from reservations.models import Booking
from tests.bench import background, stores, wire
from tests.bench.calibration import redis_benchmark_lock, wrk_floor
from tests.bench.engine import measure_engine
from tests.bench.figures import Spread, latencies, percentiles_ms
from tests.bench.loop import Loop, Outcome
from tests.bench.machine import describe_machine
from tests.bench.processes import Watch
from tests.bench.quiet import no_collections
from tests.bench.rows import Faults, Row, Rows
from tests.bench.served import LONG_HOLDS, Served, served
from tests.bench.world import Size, World, make_world


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much is measured. `blocks`: departures a row has to itself, at least."""

    seconds: float = 2.0
    rounds: int = 4
    connections: Sequence[int] = (16, 64)
    rates: Sequence[int] = (100, 200, 400, 600)
    open_seconds: float = 4.0
    warm_seconds: float = 0.4
    size: Size = field(default_factory=Size)
    settings: Mapping[str, str] = field(default_factory=dict)
    blocks: int = 24
    feed_trips: int = 400
    engine_bookings: int = 12_000
    ship_seconds: float = 10.0
    calibrate: bool = True


def run_bench(plan: Plan, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Measure; the report as plain JSON values."""
    started = time.monotonic()
    world = make_world(plan.size)
    say(f"world made in {time.monotonic() - started:.1f} s")
    with served(settings={**LONG_HOLDS, **plan.settings}) as server:
        bench = _Bench(plan, world, server, say)
        rows = bench.closed_loops()
        open_rates = bench.open_loops()
        calibration = bench.calibration() if plan.calibrate else {}
        promises = bench.promises()
    engine = measure_engine(world, bookings=plan.engine_bookings) if plan.engine_bookings else {}
    report: dict[str, Any] = {
        "machine": describe_machine(),
        "plan": asdict(plan),
        "rows": rows,
        "open": open_rates,
        "calibration": calibration,
        "promises": promises,
        "engine": engine,
        "shipping": background.ship(plan.ship_seconds),
        "import": background.import_rows(plan.feed_trips),
    }
    report["seconds"] = round(time.monotonic() - started, 1)
    return report


class _Bench:
    """One run: the rows, the lines to the server and to Redis, what came of it all."""

    def __init__(
        self, plan: Plan, world: World, server: Served, say: Callable[[str], None]
    ) -> None:
        self.plan = plan
        self.world = world
        self.server = server
        self.say = say
        # Neighbouring ids of one train, which pgbench can count through; before the others take.
        by_train = sorted(run.id for run in world.runs)[: plan.size.days]
        world.runs = [run for run in world.runs if run.id not in set(by_train)]
        self.statement = stores.confirm_statement(world, by_train)
        self.rows = Rows(world, blocks=plan.blocks)
        self.http_rows = self.rows.all()
        self.lock_script = stores.lock_script_row(world, blocks=plan.blocks)
        self.watch = Watch(server.roots)
        self.confirmed = 0
        self.by_pgbench = 0

    def closed_loops(self) -> list[dict[str, Any]]:
        gathered: dict[tuple[str, int], list[dict[str, Any]]] = {}
        rows = [*self.http_rows, self.lock_script]
        with no_collections():
            for connections in self.plan.connections:
                for number in range(self.plan.rounds):
                    for row in rows:
                        measured = self._round(row, connections, first=number == 0)
                        gathered.setdefault((row.name, connections), []).append(measured)
                        gc.collect()
                    measured = self._pgbench(connections)
                    gathered.setdefault(("pgbench", connections), []).append(measured)
                    self.say(f"{connections} connections, round {number + 1}: done")
        titles = {row.name: row.title for row in rows}
        titles["pgbench"] = "PostgreSQL alone: the statement of confirm, 1 seat"
        return [
            _summed(name, titles[name], connections, rounds)
            for (name, connections), rounds in gathered.items()
        ]

    def _round(self, row: Row, connections: int, *, first: bool) -> dict[str, Any]:
        """The floor, then the row; each on lines of its own."""
        with Loop(wire.http_target(self.server.web.url)) as loop:
            bare = self.rows.floor()
            faults = Faults()
            before = self.watch.usage()
            floor, floor_calls = bare.run(loop, connections, self.plan.seconds / 2, faults)
            floor_rate = floor_calls / floor.seconds
            floor_cpu = (self.watch.usage() - before).per_call_us(floor_calls)
        is_redis = row is self.lock_script
        url = settings.ENV.redis_url if is_redis else self.server.web.url
        target = wire.redis_target(url) if is_redis else wire.http_target(url)
        with Loop(target) as loop:
            if first:
                self._count(row, row.run(loop, connections, self.plan.warm_seconds, faults)[0])
            watched = _Watched(row, self.watch)
            outcome, done = watched.row.run(loop, connections, self.plan.seconds, faults)
            used = self.watch.usage() - watched.before
        self._count(row, outcome)
        return {
            "rate": done / outcome.seconds,
            "floor": floor_rate,
            "ratio": done / outcome.seconds / floor_rate,
            "cpu_ratio": _total(floor_cpu) / max(_total(used.per_call_us(done)), 1e-9),
            "latency": percentiles_ms(latencies(outcome, row.calls)),
            "codes": outcome.codes(),
            "faults": faults.found[:3],
            "looked_at": faults.looked_at,
            "void": bool(faults.found),
            "cpu_us": used.per_call_us(done),
            "generator_share": outcome.cpu_seconds / outcome.seconds,
        }

    def _count(self, row: Row, outcome: Outcome) -> None:
        if row.name in {"confirm", "pairs"}:
            self.confirmed += outcome.count(row.calls[-1], 201)

    def _pgbench(self, connections: int) -> dict[str, Any]:
        before = self.watch.usage()
        done = self.statement.run(connections, self.plan.seconds)
        used = self.watch.usage() - before
        self.by_pgbench += done["calls"]
        return {
            "rate": done["rate"],
            "latency": percentiles_ms(done["latencies"]),
            "void": False,
            "faults": [],
            "cpu_us": used.per_call_us(done["calls"]),
        }

    def open_loops(self) -> list[dict[str, Any]]:
        """Pairs at fixed rates: latency from the moment each was meant to begin."""
        found = []
        row = next(row for row in self.http_rows if row.name == "pairs")
        with Loop(wire.http_target(self.server.web.url)) as loop:
            for rate in self.plan.rates:
                faults = Faults()
                stock = row.prepare(loop, int(rate * self.plan.open_seconds))
                outcome = loop.open(
                    [row.once(item, faults) for item in stock],
                    rate=rate,
                    seconds=self.plan.open_seconds,
                )
                self._count(row, outcome)
                found.append(
                    {
                        "rate": rate,
                        "reached": outcome.count(row.calls[-1], 201) / outcome.seconds,
                        "lock": percentiles_ms(latencies(outcome, row.calls[:1])),
                        "confirm": percentiles_ms(latencies(outcome, row.calls[1:])),
                        "void": bool(faults.found),
                        "faults": faults.found[:3],
                        "generator_late_ms": round(outcome.worst_lag_seconds * 1000, 2),
                    }
                )
        return found

    def calibration(self) -> list[dict[str, Any]]:
        """The generators of others at the floor and at the script of lock."""
        return [
            {
                "connections": connections,
                "wrk": wrk_floor(self.server.web.url, connections, self.plan.seconds),
                "redis_benchmark": redis_benchmark_lock(self.world, connections, 20_000),
            }
            for connections in self.plan.connections
        ]

    def promises(self) -> dict[str, Any]:
        """Every confirmed answer is a row, and nothing else is."""
        rows = Booking.objects.filter(status=Booking.Status.CONFIRMED).count()
        the_one_pgbench_copies = 1
        expected = self.confirmed + self.by_pgbench + the_one_pgbench_copies
        return {
            "confirmed_over_http": self.confirmed,
            "by_pgbench": self.by_pgbench,
            "bookings": rows,
            "kept": rows == expected,
            "redis_keys": holds_store().dbsize(),
        }


class _Watched:
    """A row whose preparation is not counted as CPU of its calls."""

    def __init__(self, row: Row, watch: Watch) -> None:
        self.before = watch.usage()

        def prepare(loop: Loop, number: int) -> Sequence[Any]:
            stock = row.prepare(loop, number)
            self.before = watch.usage()
            return stock

        self.row = replace(row, prepare=prepare)


def _summed(
    name: str, title: str, connections: int, rounds: list[dict[str, Any]]
) -> dict[str, Any]:
    """The rounds of one row, as medians with spread; void if one of them is."""
    faults = [fault for each in rounds for fault in each["faults"]]
    summed: dict[str, Any] = {
        "name": name,
        "title": title,
        "connections": connections,
        "rate": asdict(Spread.of(each["rate"] for each in rounds)),
        "latency_ms": _medians([each["latency"] for each in rounds]),
        "cpu_us": _medians([each["cpu_us"] for each in rounds]),
        "void": any(each["void"] for each in rounds),
        "faults": faults[:3],
        "rounds": rounds,
    }
    for part in ("ratio", "cpu_ratio", "floor", "generator_share"):
        if part in rounds[0]:
            summed[part] = asdict(Spread.of(each[part] for each in rounds))
    return summed


def _total(cpu_us: Mapping[str, float]) -> float:
    return sum(cpu_us.values())


def _medians(rounds: Sequence[dict[str, float]]) -> dict[str, float]:
    parts = [part for part in rounds[0] if all(part in each for each in rounds)]
    return {part: Spread.of(each[part] for each in rounds).median for part in parts}

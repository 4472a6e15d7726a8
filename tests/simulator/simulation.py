"""One simulation: a seed in, a report out; the same seed gives the same report."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Final

from django.urls import resolve

from config import clock
from config.stores import keys
from reservations.availability import plans
from tests.simulator.audit_answers import AnswersAudit
from tests.simulator.audit_redis import RedisAudit
from tests.simulator.audit_rest import RestAudit, come_to_rest
from tests.simulator.audit_rows import RowsAudit
from tests.simulator.broken import Broken
from tests.simulator.clients import Door, Traveller
from tests.simulator.clocks import SECOND, Clocks
from tests.simulator.crossing import Crossing
from tests.simulator.faults import CLOCK_EVENTS, JUMPS_SECONDS, MEMORY_LOST, Event, Faults
from tests.simulator.memory_loss import Losses
from tests.simulator.mongo_sink import Sink
from tests.simulator.postgres_door import ActorsConnection, Postgres, prepare_database
from tests.simulator.redis_server import Server
from tests.simulator.scheduler import Actor, Scheduler, Stuck
from tests.simulator.seams import the_world_is_simulated
from tests.simulator.workers import Staff, Worker
from tests.simulator.world import World, build_world, empty_world

SNAPSHOT_STEPS: Final = 25
AWAY_SECONDS: Final = (0.5, 5.0, 60.0)
WORKERS: Final = 3


@dataclass
class Report:
    """What one seed did. `broken`: the promise that did not hold, or None."""

    seed: int
    steps: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    trace: list[str] = field(default_factory=list)
    broken: str | None = None

    @property
    def digest(self) -> str:
        """A hash of the whole trace."""
        return hashlib.blake2b("\n".join(self.trace).encode(), digest_size=16).hexdigest()


@dataclass(frozen=True)
class Stage:
    """What seeds share: the world, made once, and connections to PostgreSQL."""

    world: World
    connections: list[ActorsConnection]


@contextmanager
def stage() -> Iterator[Stage]:
    """Make the world in the database that Django is connected to."""
    clocks = Clocks()
    before, clock.now = clock.now, clocks.process
    try:
        world = build_world()
    finally:
        clock.now = before
    prepare_database()
    resolve("/api/v1/stations/")  # what imports do by chance, they do before the first seed
    made = Stage(world, [])
    try:
        yield made
    finally:
        for connection in made.connections:
            connection.close()


def simulate(seed: int, on: Stage) -> Report:
    """Run one seed. Never raises for a broken promise: the report says it."""
    return _Simulation(seed, on).run()


class _Simulation:
    def __init__(self, seed: int, on: Stage) -> None:
        self._chance = Random(f"simulation {seed}")
        self._seed = seed
        self._world = on.world
        self._clocks = clocks = Clocks()
        self._faults = Faults.planned(Random(f"faults {seed}"))
        self._scheduler = Scheduler(
            Random(f"scheduler {seed}"), clocks, on_step=self._events, on_switch=self._switch
        )
        self._crossing = Crossing(self._scheduler, self._faults)
        self._postgres = Postgres(self._crossing, on.connections)
        self._server = Server(clocks.redis, lambda: self._chance.randbytes(20).hex())
        self._sink = Sink(self._crossing)
        self._losses = Losses(clocks)
        self._redis_audit = RedisAudit(on.world, self._server, self._losses)
        self._rows_audit = RowsAudit(on.world, self._redis_audit, self._losses)
        self._answers = AnswersAudit(self._redis_audit, self._rows_audit, self._losses)
        self._used: dict[Actor, ActorsConnection] = {}
        self._next_snapshot = 0

    def run(self) -> Report:
        report = Report(self._seed)
        empty_world()
        self._server.after = self._redis_audit.check
        self._postgres.after_write = self._rows_audit_at_home
        try:
            with the_world_is_simulated(
                seed=self._seed,
                clocks=self._clocks,
                server=self._server,
                sink=self._sink,
                crossing=self._crossing,
            ):
                try:
                    self._live()
                except (Broken, Stuck) as broken:
                    self._crossing.say(f"BROKEN {broken}")
                    report.broken = str(broken)
                    self._server.after = lambda _script: None
                    self._postgres.after_write = lambda: None
                    self._scheduler.abandon()
        finally:
            for actor in list(self._used):
                self._leave(actor)
            self._postgres.close()
        report.steps = self._scheduler.steps
        report.faults = self._faults.counted
        report.answers = Counter(self._answers.counted)
        report.trace = self._crossing.trace
        return report

    def _live(self) -> None:
        door = Door(self._crossing, self._answers, self._after_request)
        travellers: list[Traveller] = []
        for at, person in enumerate(self._world.people):
            chance = Random(f"traveller {at} {self._seed}")
            name = f"traveller {at}"
            travellers.append(Traveller(name, person, self._world, door, chance, travellers))
            self._scheduler.start(name, travellers[-1].live)
        for at in range(WORKERS):
            chance = Random(f"worker {at} {self._seed}")
            worker = Worker(self._crossing, chance, self._after_request)
            self._scheduler.start(f"worker {at}", worker.live, is_background=True)
        staff = Staff(self._world, door, Random(f"staff {self._seed}"))
        self._scheduler.start("staff", staff.live, is_background=True)
        self._scheduler.run()
        self._faults.is_over = True
        self._scheduler.finish()
        self._clocks.offsets = dict.fromkeys(self._clocks.offsets, 0)
        come_to_rest(self._clocks)
        RestAudit(
            self._world, self._redis_audit, self._rows_audit, self._losses, self._sink
        ).check()
        self._answers.judge_the_end()

    # Between two steps

    def _switch(self, actor: Actor | None) -> None:
        """Each actor has a connection of its own, as each thread of a process has."""
        if actor is None:
            self._postgres.use(None)
            for other in [each for each in self._used if each.is_over]:
                self._leave(other)
            return
        if actor not in self._used:
            self._used[actor] = self._postgres.take()
        self._postgres.use(self._used[actor])

    def _leave(self, actor: Actor) -> None:
        self._postgres.give_back(self._used.pop(actor))

    def _after_request(self) -> None:
        actor = self._scheduler.current
        assert actor is not None
        self._used[actor].forget_the_request()

    def _rows_audit_at_home(self) -> None:
        """Rows are read on a connection that no actor has."""
        actor = self._scheduler.current
        self._postgres.use(None)
        self._losses.redis_was_away |= "redis" in self._crossing.failed
        self._rows_audit.check()
        self._postgres.use(self._used[actor] if actor else None)

    def _events(self) -> None:
        """What goes wrong by itself, before a step."""
        if self._faults.is_over:
            return
        if self._scheduler.steps >= self._next_snapshot:
            self._server.remember()
            self._next_snapshot = self._scheduler.steps + SNAPSHOT_STEPS
        for event in _EVENTS:
            if self._faults.happens(event):
                self._happen(event)

    def _happen(self, event: Event) -> None:
        chance = self._faults.chance
        before = self._unshipped() if event in MEMORY_LOST else set()
        match event:
            case Event.FLUSH:
                self._server.flush()
            case Event.FAILOVER:
                if not self._server.fail_over(chance.choice):
                    return
            case Event.RESTART:
                self._server.restart()
                plans.forget_all()
            case Event.IMAGE_LOST:
                departure = chance.choice(self._world.departures)
                for what in ("image", "held", "sold"):
                    self._server.memory.drop(keys.of(departure, what).encode())
            case Event.REDIS_AWAY | Event.POSTGRES_AWAY:
                store = "redis" if event is Event.REDIS_AWAY else "postgres"
                away = int(chance.choice(AWAY_SECONDS) * SECOND)
                self._crossing.away_until[store] = self._clocks.true + away
            case _:
                name, sign = CLOCK_EVENTS[event]
                self._clocks.offsets[name] += int(sign * chance.choice(JUMPS_SECONDS) * SECOND)
        self._faults.count(event)
        self._crossing.say(event.name)
        if event in MEMORY_LOST:
            self._losses.memory_is_lost(before)
            self._redis_audit.memory_changed()
            self._answers.memory_is_lost()

    def _unshipped(self) -> set[str]:
        return self._redis_audit.facts.keys() - self._sink.documents.keys()


_EVENTS: Final = tuple(
    event for event in Event if event not in {Event.TASK_TWICE, Event.REQUEST_TWICE}
)

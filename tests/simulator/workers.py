"""What runs beside the travellers: sweeps, consumers, shippers, reconciliation, and staff."""

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Final

import redis.exceptions
from django.db import InterfaceError, OperationalError
from pymongo.errors import PyMongoError

from analytics.shipping.hold_facts import HOLD_FACTS
from analytics.shipping.outbox import OUTBOX
from analytics.shipping.shipper import ship_batch
from config.errors import StoreUnavailable
from reservations import tasks
from tests.simulator.audit_answers import Ask
from tests.simulator.clients import Door
from tests.simulator.crossing import Crossing
from tests.simulator.faults import Event
from tests.simulator.scheduler import Crashed
from tests.simulator.world import World

TASKS: Final[dict[str, Callable[[], object]]] = {
    "sweep": tasks.sweep_holds,
    "consume": tasks.consume_outbox,
    "reconcile": tasks.reconcile_departures,
    "notice a restart": tasks.notice_restart,
    "ship holds": lambda: ship_batch(HOLD_FACTS),
    "ship outbox": lambda: ship_batch(OUTBOX),
}
_AWAY: Final = (
    redis.exceptions.RedisError,
    OperationalError,
    InterfaceError,
    StoreUnavailable,
    PyMongoError,
)


class Worker:
    """One worker process: a task, a pause, a task. One that dies is started again."""

    def __init__(self, crossing: Crossing, chance: Random, after_task: Callable[[], None]) -> None:
        self._crossing = crossing
        self._chance = chance
        self._after_task = after_task

    def live(self) -> None:
        scheduler, faults = self._crossing.scheduler, self._crossing.faults
        while not faults.is_over:
            scheduler.pause(self._chance.choice((2.0, 15.0, 60.0, 150.0)))
            task = self._chance.choice(tuple(TASKS))
            if faults.happens(Event.TASK_TWICE):
                faults.count(Event.TASK_TWICE)
                scheduler.start(f"twin of {task}", partial(self.run, task))
            self.run(task)

    def run(self, task: str) -> None:
        """One task, as Celery runs it: whatever fails is tried again another time."""
        self._crossing.say(f"begins to {task}")
        actor = self._crossing.scheduler.current
        assert actor is not None
        try:
            TASKS[task]()
        except _AWAY as away:
            self._crossing.say(f"{task} gave up: {away}")
        except Crashed:
            actor.is_crashed = False
        finally:
            self._after_task()


class Staff:
    """Somebody who keeps seats out of sale and gives them back."""

    def __init__(self, world: World, door: Door, chance: Random) -> None:
        self._world = world
        self._door = door
        self._chance = chance

    def live(self) -> None:
        while not self._door.crossing.faults.is_over:
            self._door.crossing.scheduler.pause(self._chance.choice((20.0, 90.0, 300.0)))
            departure = self._chance.choice(self._world.departures)
            body = {
                "seats": [self._chance.choice(self._world.labels)],
                "reason": "a lamp is broken",
            }
            ask = Ask(
                user=self._world.staff.user.pk,
                verb="block",
                method=self._chance.choice(("POST", "DELETE")),
                path=f"operations/departures/{departure}/blocks/",
                body=body,
            )
            self._door.send(self._world.staff, ask)

"""Many actors, one at a time: a seeded choice says who makes the next step.

An actor is a greenlet that runs unmodified engine code. At every store call the code comes to
`pause`, which hands over to the scheduler; the actor goes on when it is chosen again. So a step
is one store call, and between two steps of one actor any steps of others may lie.
"""

from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Final

from greenlet import greenlet

from tests.simulator.clocks import SECOND, Clocks

STEPS_AT_MOST: Final = 20_000
TICK_MICROSECONDS: Final = 4_000


class Crashed(BaseException):
    """The process that ran this code is gone. No `except Exception` of the engine sees it."""


class Abandoned(BaseException):
    """The simulation is over before this actor is."""


class Stuck(BaseException):
    """The simulation does not come to its end."""


class Actor:
    """One thread of a web process, a worker, or a statement on its way after its caller gave up.

    `is_background`: the run does not wait for it to end.
    """

    def __init__(
        self, name: str, work: Callable[[], object], hub: greenlet, *, is_background: bool
    ) -> None:
        self.name = name
        self.is_background = is_background
        self.wakes_at = 0
        self.is_crashed = False
        self.is_abandoned = False
        self.waits_for: Callable[[], bool] | None = None
        self.greenlet = greenlet(work, parent=hub)

    @property
    def is_over(self) -> bool:
        return bool(self.greenlet.dead)


class Scheduler:
    """Who goes next. `on_step` is called before each step, `on_switch` with who goes on."""

    def __init__(
        self,
        chance: Random,
        clocks: Clocks,
        *,
        on_step: Callable[[], None],
        on_switch: Callable[[Actor | None], None],
    ) -> None:
        self.chance = chance
        self.clocks = clocks
        self.steps = 0
        self.current: Actor | None = None
        self.actors: list[Actor] = []
        self._on_step = on_step
        self._on_switch = on_switch
        self._hub = greenlet.getcurrent()

    def start(self, name: str, work: Callable[[], object], *, is_background: bool = False) -> Actor:
        """Let a new actor take part from the next step on."""
        actor = Actor(name, work, self._hub, is_background=is_background)
        self.actors.append(actor)
        return actor

    def pause(self, seconds: float = 0.0) -> None:
        """Let others go on; come back when chosen, not before so much time has passed.

        Nothing happens outside an actor.
        """
        actor = self.current
        if actor is None:
            return
        actor.wakes_at = self.clocks.true + int(seconds * SECOND) if seconds else 0
        self._switch(actor)

    def wait_until(self, is_true: Callable[[], bool]) -> None:
        """Let others go on until that is so (a lock of PostgreSQL that another actor has)."""
        actor = self.current
        assert actor is not None, "the hub waits for a lock"
        actor.waits_for = is_true
        self._switch(actor)

    def _switch(self, actor: Actor) -> None:
        self._hub.switch()
        if actor.is_abandoned:
            raise Abandoned

    def run(self) -> None:
        """Step by step, until every actor that is not in the background is over."""
        while any(not actor.is_background for actor in self.actors):
            self._step()

    def finish(self) -> None:
        """Step by step, until all are over."""
        while self.actors:
            self._step()

    def abandon(self) -> None:
        """End what still runs, as if its process died."""
        for actor in self.actors:
            if not actor.is_over and actor.greenlet:
                actor.is_abandoned = True
                self.current = actor
                self._on_switch(actor)
                with suppress(Abandoned):
                    actor.greenlet.throw(Abandoned)
        self.actors = []
        self.current = None
        self._on_switch(None)

    def _step(self) -> None:
        actor = self._next()
        if actor is None:
            return
        self.steps += 1
        if self.steps > STEPS_AT_MOST:
            raise Stuck(f"{[each.name for each in self.actors]} are not over")
        self.clocks.true += self.chance.randrange(TICK_MICROSECONDS)
        self._on_step()
        self.current = actor
        self._on_switch(actor)
        try:
            actor.greenlet.switch()
        finally:
            self.current = None
            self._on_switch(None)
        if actor.is_over:
            self.actors.remove(actor)

    def _next(self) -> Actor | None:
        """Whoever may go on, by chance; time passes when all sleep."""
        for actor in self.actors:
            if actor.waits_for is not None and actor.waits_for():
                actor.waits_for = None
        awake = [actor for actor in self.actors if actor.waits_for is None]
        if not awake:
            return None  # all wait for a lock: PostgreSQL will end the deadlock
        ready = [actor for actor in awake if actor.wakes_at <= self.clocks.true]
        if not ready:
            self.clocks.true = min(actor.wakes_at for actor in awake)
            return None
        return self.chance.choice(ready)


class Turn:
    """A `threading.Lock` for actors, for the one that the engine keeps while it calls a store."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._is_taken = False

    def acquire(self, blocking: bool = True) -> bool:
        while self._is_taken:
            if not blocking:
                return False
            self._scheduler.wait_until(lambda: not self._is_taken)
        self._is_taken = True
        return True

    def release(self) -> None:
        self._is_taken = False

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

"""The boundary between the engine and a store: where steps end and faults strike."""

from collections.abc import Callable
from typing import Any, TypeVar

from tests.simulator.faults import Fault, Faults
from tests.simulator.scheduler import Abandoned, Crashed, Scheduler

T = TypeVar("T")
TIMEOUTS_SECONDS = (0.0, 0.25, 2.0, 40.0)
LATE_SECONDS = (0.0, 0.0, 1.0, 35.0, 200.0)


class Crossing:
    """Every store call of every actor goes through `cross`.

    `trace` gets a line a call; two runs of a seed have the same lines. `failed`: stores that did
    not answer a call so far.
    """

    def __init__(self, scheduler: Scheduler, faults: Faults) -> None:
        self.scheduler = scheduler
        self.faults = faults
        self.trace: list[str] = []
        self.failed: set[str] = set()
        self.away_until = {"redis": 0, "postgres": 0, "mongo": 0}

    def say(self, line: str) -> None:
        actor = self.scheduler.current
        name = actor.name if actor else "-"
        clocks = self.scheduler.clocks
        self.trace.append(f"{self.scheduler.steps} {clocks.true} {name} {line}")

    def cross(
        self,
        store: str,
        what: str,
        act: Callable[[], T],
        *,
        lost: Callable[[str], Exception],
        late: Callable[[], Callable[[], Any] | None] = lambda: None,
    ) -> T:
        """One call to a store: others go on first, then it happens, or something else does.

        `lost` makes the error the caller gets instead of an answer. `late` gives what makes the
        effect come about after the caller gave up, or None where that cannot be.
        """
        actor = self.scheduler.current
        if actor is None:
            return act()
        if actor.is_abandoned:
            raise Abandoned
        if actor.is_crashed:
            raise Crashed
        self.scheduler.pause()
        if self.away_until[store] > self.scheduler.clocks.true and not self.faults.is_over:
            self.say(f"{store} {what}: away")
            self.failed.add(store)
            self._time_out()
            raise lost("away")
        fault = self.faults.at_call(store)
        if fault is None:
            answer = act()
            self.say(f"{store} {what}: {brief(answer)}")
            return answer
        return self._go_wrong(store, what, fault, act, lost, late)

    def _go_wrong(  # noqa: PLR0917  # the parts of a call
        self,
        store: str,
        what: str,
        fault: Fault,
        act: Callable[[], T],
        lost: Callable[[str], Exception],
        late: Callable[[], Callable[[], Any] | None],
    ) -> T:
        actor = self.scheduler.current
        assert actor is not None
        if fault is Fault.LATE:
            afterwards = late()
            if afterwards is None:
                fault = Fault.REFUSED
            else:
                name = f"late {what} of {actor.name}"
                self.scheduler.start(name, lambda: self._arrive(store, what, afterwards))
        self.faults.count(f"{store}: {fault}")
        self.failed.add(store)
        if fault in {Fault.LOST_REPLY, Fault.CRASH_AFTER}:
            answer = act()
            self.say(f"{store} {what}: {brief(answer)}")
        self.say(f"{store} {what}: {fault.name}")
        if fault in {Fault.CRASH_BEFORE, Fault.CRASH_AFTER}:
            actor.is_crashed = True
            raise Crashed
        self._time_out()
        raise lost(fault.name)

    def _arrive(self, store: str, what: str, effect: Callable[[], Any]) -> None:
        """The effect of a call whose caller gave up, some time later."""
        scheduler = self.scheduler
        scheduler.pause(scheduler.chance.choice(LATE_SECONDS))
        self.say(f"{store} {what}: {brief(effect())}, late")

    def _time_out(self) -> None:
        self.scheduler.pause(self.scheduler.chance.choice(TIMEOUTS_SECONDS))


def brief(answer: Any) -> str:
    """An answer in a line of the trace."""
    if hasattr(answer, "rowcount"):
        return f"{answer.rowcount} rows"
    if isinstance(answer, list) and len(answer) > 4:
        return f"{answer[:4]!r:.200}…{len(answer)}"
    return f"{answer!r:.200}"

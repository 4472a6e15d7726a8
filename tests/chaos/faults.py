"""What is done to a process, and the proof that it was done.

    kill      SIGKILL; proof: other process ids afterwards
    freeze    SIGSTOP for longer than a hold lives; proof: the kernel said "stopped" all that time
    restart   an orderly end and a new start; proof: other process ids
    empty     SIGKILL, and what it kept is deleted; proof: other process ids, an empty folder

A web worker is killed and frozen by itself: its parent starts another, as in production. All
other servers go with all of their processes.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum

import psutil

from tests.chaos.plant import Plant, Server, lives

FROZEN_SECONDS = 5.0  # a hold lives 3 s and a pin 4 s here
DOWN_SECONDS = 1.0
POLL_SECONDS = 0.05
BATCH_SECONDS = 60.0
RESPAWN_SECONDS = 30.0


class What(StrEnum):
    KILL = "kill -9"
    FREEZE = "SIGSTOP"
    RESTART = "restart"
    EMPTY = "restart empty"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is done to which server. `only_a_worker`: to one of its workers, not to all of it."""

    server: str
    what: What
    only_a_worker: bool = False

    def __str__(self) -> str:
        return f"{self.server}{' worker' if self.only_a_worker else ''}: {self.what}"


@dataclass(frozen=True, kw_only=True)
class Injected:
    """A fault that happened. Monotonic seconds: when it began, when the process could work again.

    `proof`: what shows it. `is_proven`: whether that is enough.
    """

    fault: Fault
    began: float
    ended: float
    proof: str
    is_proven: bool


FULL = (
    Fault(server="web", what=What.KILL, only_a_worker=True),
    Fault(server="web", what=What.FREEZE, only_a_worker=True),
    Fault(server="web", what=What.RESTART),
    *(
        Fault(server=server, what=what)
        for server in ("worker", "beat", "redis", "broker", "postgres", "mongo")
        for what in (What.KILL, What.FREEZE, What.RESTART)
    ),
    Fault(server="redis", what=What.EMPTY),
)
SHORT = (
    Fault(server="web", what=What.KILL, only_a_worker=True),
    Fault(server="worker", what=What.KILL),
    Fault(server="beat", what=What.RESTART),
    Fault(server="redis", what=What.KILL),
    Fault(server="broker", what=What.KILL),
    Fault(server="postgres", what=What.KILL),
    Fault(server="redis", what=What.EMPTY),
    Fault(server="mongo", what=What.FREEZE),
)


def inject(plant: Plant, fault: Fault, mid_batch: Callable[[], bool]) -> Injected:
    """Do it, and have the server started again. `mid_batch`: whether the Celery worker is in the
    middle of its work this instant; that is waited for before it is touched.
    """
    server = plant.servers[fault.server]
    at_work = fault.server != "worker" or _awaited(mid_batch, BATCH_SECONDS)
    injected = _freeze(server, fault) if fault.what is What.FREEZE else _end(server, fault)
    if fault.server != "worker":
        return injected
    note = "in mid-batch" if at_work else "but it was idle"
    return replace(
        injected, proof=f"{injected.proof}, {note}", is_proven=injected.is_proven and at_work
    )


def _freeze(server: Server, fault: Fault) -> Injected:
    """Stop it and look, all the time, whether the kernel agrees that it does not run."""
    processes = [_one_worker(server)] if fault.only_a_worker else server.tree()
    began = time.monotonic()
    for process in processes:
        process.suspend()
    stopped_seconds, last = 0.0, time.monotonic()
    while time.monotonic() < began + FROZEN_SECONDS:
        time.sleep(POLL_SECONDS)
        states = {process.status() for process in processes if lives(process)}
        now = time.monotonic()
        stopped_seconds += (now - last) if states == {psutil.STATUS_STOPPED} else 0.0
        last = now
    for process in reversed(processes):
        with suppress(psutil.NoSuchProcess):
            process.resume()
    return Injected(
        fault=fault,
        began=began,
        ended=time.monotonic(),
        proof=f"{len(processes)} processes stopped for {stopped_seconds:.1f} s",
        is_proven=bool(processes) and stopped_seconds > FROZEN_SECONDS * 0.9,
    )


def _end(server: Server, fault: Fault) -> Injected:
    before = _identities([_one_worker(server)] if fault.only_a_worker else server.tree())
    began = time.monotonic()
    if fault.only_a_worker:
        _kill_worker(server, before)
        # Its parent has started another by now, or will within moments.
        _awaited(lambda: len(_workers(server)) > len(before), RESPAWN_SECONDS)
    else:
        if fault.what is What.RESTART:
            server.stop()
        else:
            server.kill()
        if fault.what is What.EMPTY:
            server.forget()
        time.sleep(DOWN_SECONDS)
        server.start()
        server.await_ready()
    after = _identities(server.tree())
    old, new = sorted(pid for pid, _ in before), sorted(pid for pid, _ in after)
    return Injected(
        fault=fault,
        began=began,
        ended=time.monotonic(),
        proof=f"processes {_few(old)} are gone, {_few(new)} are there",
        is_proven=bool(before) and bool(after) and not before & after,
    )


def _workers(server: Server) -> list[psutil.Process]:
    return server.tree()[1:]


def _one_worker(server: Server) -> psutil.Process:
    return max(_workers(server), key=lambda process: sum(process.cpu_times()[:2]))


def _kill_worker(server: Server, before: set[tuple[int, float]]) -> None:
    for process in _workers(server):
        if (process.pid, process.create_time()) in before:
            process.kill()
    _awaited(lambda: not before & _identities(server.tree()), RESPAWN_SECONDS)


def _identities(processes: list[psutil.Process]) -> set[tuple[int, float]]:
    """Process ids are used again; with the time of birth they are not."""
    found = set()
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            found.add((process.pid, process.create_time()))
    return found


def _awaited(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


def _few(pids: list[int]) -> str:
    return ", ".join(map(str, pids[:4])) + ("…" if len(pids) > 4 else "")

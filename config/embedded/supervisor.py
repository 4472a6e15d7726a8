"""Keeps the children of one process: start, wait, notice deaths, stop all in order.

Relies on: one thread, and being a subreaper, so that every descendant is found under us. Never
leaves a descendant behind: `shut_down` ends with a sweep over all of them.

    start order   stores -> set-up commands -> web, worker, beat
    stop order    web, worker, beat -> stores, each group at once, then whatever is left
"""

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from config.embedded.errors import ServerDied, StartFailed, StopRequested
from config.embedded.processes import ProcessSpec, log_tail, spawn

STORE_STAGE = 1
APP_STAGE = 2
POLL_SECONDS = 0.02
HURRIED_GRACE_SECONDS = 1.0
SWEEP_SECONDS = 10.0


@dataclass(eq=False, kw_only=True)
class Running:
    """A child of ours. `status` is its exit status once it has ended, negative for a signal."""

    spec: ProcessSpec
    process: subprocess.Popen[bytes]
    stage: int
    status: int | None = None

    @property
    def ended(self) -> bool:
        return self.status is not None


class Supervisor:
    """Owns child processes. `stop_fd` is read for stop requests: a byte is one, its end is one."""

    def __init__(self, *, stop_fd: int) -> None:
        self._stop_fd: int | None = stop_fd
        self._children: dict[int, Running] = {}
        self._stop_bytes = b""
        self._stopping = False
        self._wake_fd, wake_write_fd = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake_write_fd, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for by in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(by, self._on_signal)

    def start(self, spec: ProcessSpec, *, stage: int) -> Running:
        """Start a process that is to run until `shut_down`; higher stages are stopped first."""
        process = spawn(spec)
        running = Running(spec=spec, process=process, stage=stage)
        self._children[process.pid] = running
        return running

    def run_to_end(self, spec: ProcessSpec) -> int:
        """Run a command and give its exit status (negative for a signal)."""
        running = self.start(spec, stage=APP_STAGE)
        while running.status is None:
            self.wait(seconds=1.0, expected=running)
        return running.status

    def run_or_fail(self, spec: ProcessSpec) -> None:
        """Run a set-up command.

        Raises:
            StartFailed: it ended with an error; its last lines are in the message.

        """
        status = self.run_to_end(spec)
        if status != 0:
            raise StartFailed(f"{spec.name} {_ending(status)}\n{log_tail(spec.log)}")

    def wait_until(
        self, probe: Callable[[], bool], *, what: str, log: Path | None, seconds: float
    ) -> None:
        """Ask until the answer is yes, minding the children meanwhile.

        Raises:
            StartFailed: still no after `seconds`.
            ServerDied, StopRequested: as in `wait`.

        """
        deadline = time.monotonic() + seconds
        while not probe():
            if time.monotonic() > deadline:
                raise StartFailed(f"{what} gave no answer within {seconds:.0f} s\n{log_tail(log)}")
            self.wait(seconds=POLL_SECONDS)

    def wait(self, *, seconds: float, expected: Running | None = None) -> None:
        """Sleep until something happens, at most `seconds`.

        Raises:
            ServerDied: a child other than `expected` has ended by itself.
            StopRequested: somebody wants everything to stop.

        """
        self._pump(seconds)
        if self._stopping:
            return
        for running in self._children.values():
            if running.status is not None and running is not expected:
                self._forget_ended()
                raise ServerDied(
                    f"{running.spec.name} {_ending(running.status)}\n{log_tail(running.spec.log)}"
                )
        self._forget_ended()
        if self._stop_bytes:
            raise StopRequested(self._stop_bytes.decode())

    def shut_down(self) -> None:
        """Stop all children, latest stage first; a second request for a stop hurries it."""
        self._stopping = True
        self._stop_bytes = b""
        stages = sorted({running.stage for running in self._children.values()}, reverse=True)
        for stage in stages:
            self._stop_together([r for r in self._children.values() if r.stage == stage])
        self._sweep()
        self._forget_ended()
        self._stopping = False

    def leave_time(self, running: Running, *, seconds: float) -> None:
        """Give a process that was told to stop by somebody else the time to do so."""
        self._stopping = True
        self._pump_until(lambda: running.ended, seconds=seconds)

    def _stop_together(self, group: list[Running]) -> None:
        for running in group:
            if not running.ended:
                running.process.send_signal(running.spec.stop_signal)
        grace_seconds = max((running.spec.grace_seconds for running in group), default=0.0)
        self._pump_until(lambda: all(running.ended for running in group), seconds=grace_seconds)
        # SIGQUIT first: PostgreSQL then ends its own children, which SIGKILL would not.
        for by in (signal.SIGQUIT, signal.SIGKILL):
            for running in group:
                if not running.ended:
                    running.process.send_signal(by)
            self._pump_until(lambda: all(running.ended for running in group), seconds=2.0)

    def _sweep(self) -> None:
        """End every descendant that is left: children of children whose parent is gone."""
        deadline = time.monotonic() + SWEEP_SECONDS
        while left := psutil.Process().children(recursive=True):
            for process in left:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            self._pump(POLL_SECONDS)
            if time.monotonic() > deadline:
                raise StartFailed(f"could not end {left}")

    def _pump_until(self, done: Callable[[], bool], *, seconds: float) -> None:
        start = time.monotonic()
        while not done():
            allowed = min(seconds, HURRIED_GRACE_SECONDS) if self._stop_bytes else seconds
            if time.monotonic() > start + allowed:
                return
            self._pump(0.1)

    def _pump(self, seconds: float) -> None:
        watched = [self._wake_fd] + ([self._stop_fd] if self._stop_fd is not None else [])
        ready, _, _ = select.select(watched, [], [], seconds)
        if self._wake_fd in ready:
            with suppress(BlockingIOError):
                os.read(self._wake_fd, 4096)
        if self._stop_fd is not None and self._stop_fd in ready:
            data = os.read(self._stop_fd, 64)
            if not data:  # the front is gone: that is a request to stop, but not to hurry
                self._stop_fd = None
                data = b"" if self._stopping else b"x"
            self._stop_bytes += data
        self._reap()

    def _reap(self) -> None:
        """Collect the dead: our own through their Popen, adopted orphans directly."""
        while True:
            try:
                info = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if info is None:
                return
            running = self._children.get(info.si_pid)
            if running is None:
                os.waitpid(info.si_pid, 0)
            else:
                running.status = running.process.wait()

    def _forget_ended(self) -> None:
        self._children = {pid: r for pid, r in self._children.items() if not r.ended}

    def _on_signal(self, *_: object) -> None:
        self._stop_bytes += b"t"


def _ending(status: int) -> str:
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended by itself with exit status {status}"

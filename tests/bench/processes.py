"""CPU time by part: web, PostgreSQL, Redis, MongoDB, Celery, and the generator itself."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import psutil

from config.stores.redis import holds_store

STORES = {"postgres": "postgresql", "mongod": "mongodb"}


@dataclass(frozen=True)
class Usage:
    """CPU seconds since its start, by part."""

    seconds: Mapping[str, float]

    def __sub__(self, earlier: "Usage") -> "Usage":
        return Usage(
            {part: total - earlier.seconds.get(part, 0.0) for part, total in self.seconds.items()}
        )

    def per_call_us(self, calls: int) -> dict[str, float]:
        """Microseconds of CPU for each call, by part; parts that did nothing are left out."""
        each = {part: round(used * 1e6 / max(calls, 1), 1) for part, used in self.seconds.items()}
        return {part: value for part, value in each.items() if value > 0}


class Watch:
    """Looks at processes we know (`roots`, by part) and at the embedded stores beside us."""

    def __init__(self, roots: Mapping[str, int]) -> None:
        self._roots = dict(roots)
        holds = holds_store().info("server")["process_id"]
        self._stores = {part: process for process in _beside() if (part := _part(process, holds))}

    def usage(self) -> Usage:
        parts = {part: _tree_seconds(psutil.Process(pid)) for part, pid in self._roots.items()}
        parts |= {part: _tree_seconds(process) for part, process in self._stores.items()}
        parts["generator"] = _own_seconds(psutil.Process(os.getpid()))
        return Usage(parts)


def _beside() -> Iterable[psutil.Process]:
    """The children of whoever started the embedded stores, us among them."""
    for parent in psutil.Process().parents():
        if "config.embedded" in _words(parent):
            return parent.children()
    return []


def _part(process: psutil.Process, holds: int) -> str | None:
    """Which store this is; `holds` is the process that has them, which says so itself."""
    if process.name() == "valkey-server":
        return "redis" if process.pid == holds else "broker"
    return STORES.get(process.name())


def _words(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _tree_seconds(process: psutil.Process) -> float:
    """Of a process, of its children, and of those that ended already."""
    try:
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    return sum(_own_seconds(each) for each in family) + _ended_seconds(process)


def _own_seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def _ended_seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.children_user + times.children_system)

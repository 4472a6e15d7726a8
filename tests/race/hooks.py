"""Stop a request at a named point, or let it run without one guard: for tests, never in production.

Which request, and where, is said by the request itself, so that rivals beside it are untouched:

    Test-Request: r17                     its name
    Test-Stop: refresh_begin.after ...    where it shall wait until the test says go, in this order
    Test-Without: overlap ...             the guards (`tests.race.guards`) it shall run without

`installed` puts the points into the engine's modules: in the web server that `tests.race.server`
is the entry of, and in the test's own process for sweeps that run in a thread of it.
"""

import json
import os
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from copy import copy
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final
from unittest.mock import patch

from django.db import OperationalError, connection

from config.idempotency import claims
from reservations.api import kept_answers
from reservations.holds import scripts, store
from reservations.services import (
    cancel_booking,
    confirm_booking,
    expire_holds,
    hold_seats,
    refresh_image,
)
from tests.race.guards import GUARDS, Guard

GATE: Final = "SEATLOCK_TEST_GATE"

# Each function is a point before and a point after it: `pin.before`, `pin.after`.
POINTS: Final[dict[str, tuple[Any, str]]] = {
    **{
        name: (store, name)
        for name in ("lock", "pin", "settle", "free", "release", "extend", "reap", "refresh_begin",
                     "refresh_end", "departures_due")
    },
    "rank": (hold_seats, "candidates"),
    "claim": (claims, "claim"),
    "keep": (kept_answers, "keep"),
    "insert": (confirm_booking, "write_booking"),
    "rows": (refresh_image, "read_taken"),
    "resolve": (expire_holds, "resolve_pin"),
    "cancel": (cancel_booking, "append"),
}  # fmt: skip


@dataclass
class Asked:
    """What this thread's request asked for."""

    request: str
    stops: deque[str]
    without: tuple[str, ...]

    @property
    def guards(self) -> list[Guard]:
        return [GUARDS[name] for name in self.without]


_local = threading.local()


def asked() -> Asked | None:
    """What this thread asked for, if it asked for anything."""
    found: Asked | None = getattr(_local, "asked", None)
    return found


@contextmanager
def asking(request: str, stops: str, without: str) -> Iterator[None]:
    """Let what this thread does now stop at these points, and leave these guards out."""
    before = asked()
    mine = Asked(request, deque(stops.split()), tuple(without.split()))
    _local.asked = mine
    try:
        with connection.execute_wrapper(_rewrite):
            yield
    finally:
        _local.asked = before


def reach(point: str) -> None:
    """Wait here if this thread's request asked to; the test may let it go on or fail."""
    mine = asked()
    if mine is None or not mine.stops or mine.stops[0] != point:
        return
    mine.stops.popleft()
    with socket.socket(socket.AF_UNIX) as gate:
        gate.connect(os.environ[GATE])
        said = {"request": mine.request, "point": point, "pid": os.getpid()}
        gate.sendall(json.dumps(said).encode() + b"\n")
        word = gate.recv(16)
    if word == b"fail":
        raise OperationalError("the test let the connection die here")


def _rewrite(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
    mine = asked()
    for guard in mine.guards if mine else ():
        for old, new in guard.sql:
            sql = sql.replace(old, new)
    return execute(sql, *rest)


def _stopping(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(real)
    def stops(*args: Any, **kwargs: Any) -> Any:
        reach(f"{name}.before")
        result = real(*args, **kwargs)
        reach(f"{name}.after")
        return result

    return stops


def _replaced(guard: Guard, real: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(real)
    def perhaps(*args: Any, **kwargs: Any) -> Any:
        mine = asked()
        if mine is None or guard.name not in mine.without:
            return real(*args, **kwargs)
        return guard.instead(real, *args, **kwargs)

    return perhaps


def _unguarded(real: Callable[..., Any]) -> Callable[..., Any]:
    """A method of `Script` that runs another text where the request left guards of it out."""

    @wraps(real)
    def run(script: scripts.Script, *args: Any, **kwargs: Any) -> Any:
        mine, text = asked(), script.text
        for guard in mine.guards if mine else ():
            for old, new in guard.lua:
                text = text.replace(old, new)
        if text == script.text:
            return real(script, *args, **kwargs)
        weaker = copy(script)
        weaker.use(text)
        return real(weaker, *args, **kwargs)

    return run


@contextmanager
def installed() -> Iterator[None]:
    """Every point and every guard can be asked for; who asks for nothing notices nothing."""
    with ExitStack() as stack:
        for guard in GUARDS.values():
            if guard.python is not None:
                module, attribute = guard.python
                real = getattr(module, attribute)
                stack.enter_context(patch.object(module, attribute, _replaced(guard, real)))
        for name, (module, attribute) in POINTS.items():
            real = getattr(module, attribute)
            stack.enter_context(patch.object(module, attribute, _stopping(name, real)))
        for attribute in ("__call__", "tried", "many"):
            real = getattr(scripts.Script, attribute)
            stack.enter_context(patch.object(scripts.Script, attribute, _unguarded(real)))
        yield

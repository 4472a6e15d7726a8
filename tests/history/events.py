"""A history: what clients asked, when, and what they were told, as JSON lines.

The first line is about the departures; each other line is one call:

    {"departures": {"7": {"stops": ["AAA", "BBB"], "seats": {"S1-1": "SL"}}}, "hold_ttl_seconds": 3}
    {"client": "anna", "kind": "lock", "invoked": 0.01, "returned": 0.02, "status": 201, …}

Times are seconds of the client's monotonic clock. `returned` and `status` are null when no answer
came: then the call may have had its effect, or may have it at any later time, or never.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from math import inf
from pathlib import Path
from typing import Any


class Kind(StrEnum):
    LOCK = "lock"
    EXTEND = "extend"
    SHOW_HOLD = "show-hold"
    RELEASE = "release"
    CONFIRM = "confirm"
    CANCEL = "cancel"
    SHOW_BOOKING = "show-booking"
    SEATS = "seats"


@dataclass(frozen=True, kw_only=True)
class Call:
    """One HTTP call. `seats`, `count`, `travel_class`, `stretch` (codes): what a lock asked for,
    `stretch` also of a seat map. `answer`: the JSON of the answer. `replayed`: it was kept.
    """

    client: str
    kind: Kind
    invoked: float
    returned: float | None = None
    status: int | None = None
    departure: int = 0
    hold: str = ""
    pnr: str = ""
    key: str = ""
    seats: tuple[str, ...] = ()
    count: int = 0
    travel_class: str | None = None
    stretch: tuple[str, str] = ("", "")
    answer: Mapping[str, Any] = field(default_factory=dict)
    replayed: bool = False

    @property
    def is_unknown(self) -> bool:
        """Nobody can tell from the answer whether the call had its effect."""
        return self.status is None or self.status >= 500

    @property
    def end(self) -> float:
        return inf if self.returned is None else self.returned

    @property
    def code(self) -> str:
        return str(self.answer.get("code", ""))

    @property
    def lasts_seconds(self) -> float:
        """How long the hold in the answer still had, by the store's clock."""
        return moment(self.answer["expires_at"]) - moment(self.answer["server_time"])

    def __str__(self) -> str:
        told = "no answer" if self.status is None else f"{self.status} {self.code}".strip()
        what = ",".join(self.seats) or self.pnr or self.hold[-8:] or str(self.count or "")
        when = f"{self.invoked:.4f}..{'…' if self.returned is None else f'{self.returned:.4f}'}"
        return f"{self.client} {self.kind} {what} [{when}] {told}"


@dataclass(frozen=True, kw_only=True)
class Route:
    """A departure as the checker needs it: station codes in order, seats with their classes."""

    stops: tuple[str, ...]
    seats: Mapping[str, str]

    def legs(self, stretch: tuple[str, str]) -> range:
        return range(self.stops.index(stretch[0]), self.stops.index(stretch[1]))


@dataclass(frozen=True, kw_only=True)
class Sleep:
    """A time in which Redis was away or lost its memory: P2 sleeps, all else must hold."""

    start: float
    end: float


@dataclass(frozen=True, kw_only=True)
class History:
    """All calls, and what may be assumed of the server.

    `late_seconds`: how long after the answer to a cancel, or after a process died, a seat may
    still look taken; 0 where nothing is broken on purpose.
    """

    calls: tuple[Call, ...]
    routes: Mapping[int, Route]
    hold_ttl_seconds: float = 180.0
    hold_max_total_seconds: float = 600.0
    late_seconds: float = 0.0
    sleeps: tuple[Sleep, ...] = ()


def moment(text: str) -> float:
    """An ISO time as seconds since the epoch."""
    return datetime.fromisoformat(text).timestamp()


def write(history: History, path: Path) -> None:
    """One line about the departures, then one a call."""
    head = {
        "departures": {
            str(number): {"stops": route.stops, "seats": dict(route.seats)}
            for number, route in history.routes.items()
        },
        "hold_ttl_seconds": history.hold_ttl_seconds,
        "hold_max_total_seconds": history.hold_max_total_seconds,
        "late_seconds": history.late_seconds,
        "sleeps": [[sleep.start, sleep.end] for sleep in history.sleeps],
    }
    with path.open("w") as file:
        file.write(json.dumps(head) + "\n")
        file.writelines(json.dumps(vars(call)) + "\n" for call in history.calls)


def read(path: Path) -> History:
    """What `write` wrote."""
    head, *lines = path.read_text().splitlines()
    about = json.loads(head)
    return History(
        calls=tuple(_call(json.loads(line)) for line in lines),
        routes={
            int(number): Route(stops=tuple(route["stops"]), seats=route["seats"])
            for number, route in about["departures"].items()
        },
        hold_ttl_seconds=about["hold_ttl_seconds"],
        hold_max_total_seconds=about["hold_max_total_seconds"],
        late_seconds=about["late_seconds"],
        sleeps=tuple(Sleep(start=start, end=end) for start, end in about["sleeps"]),
    )


def _call(line: dict[str, Any]) -> Call:
    tuples = {name: tuple(line[name]) for name in ("seats", "stretch")}
    return Call(**{**line, **tuples, "kind": Kind(line["kind"])})


def sort(calls: Iterable[Call]) -> tuple[Call, ...]:
    return tuple(sorted(calls, key=lambda call: call.invoked))

"""Afterwards: was anything the clients were told of lost, is anything there twice or made up?"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.chaos.plant import Plant
from tests.chaos.probe import Probe
from tests.history.events import Call, History, Kind

# Redis's clock and the shipper's; they run on one machine here.
CLOCK_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Audit:
    """`lost` was told to a client and is not there; `doubled` is there more than once.
    `excused`: facts of holds that went with Redis's memory, covered by a `gap` document.
    """

    bookings: int
    documents: int
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    excused: int


def check(plant: Plant, *arguments: str) -> tuple[str, ...]:
    """`manage.py check_invariants`: what is wrong, one line each."""
    done = plant.manage("check_invariants", "--json", *arguments, check=False)
    try:
        report = json.loads(done.stdout)
    except ValueError:
        return (f"check_invariants gave no report: {done.stderr[-2000:]}",)
    return tuple(
        f"{each['name']}: {words}"
        for each in report["checks"]
        for words in (*each["wrong"], *([each["unanswered"]] if each["unanswered"] else []))
    )


def audit(history: History, probe: Probe) -> Audit:
    """Compare what the clients were told with rows and documents; all must be at rest."""
    bookings, documents, gaps = probe.bookings(), probe.documents(), probe.gaps()
    lost = []
    excused = 0
    for call in history.calls:
        for name in _facts(call):
            if name in documents:
                continue
            if call.kind in {Kind.LOCK, Kind.RELEASE, Kind.EXTEND} and _in_gap(call, gaps):
                excused += 1
            else:
                lost.append(f"{call}: no document {name}")
        if call.kind is Kind.CONFIRM and call.status == 201:
            row = bookings.get(call.answer["pnr"])
            if row is None or row[0] != call.hold:
                lost.append(f"{call}: no row of {call.answer['pnr']}")
        if call.kind is Kind.CANCEL and call.status == 200:
            row = bookings.get(call.pnr)
            if row is None or row[1] != "cancelled":
                lost.append(f"{call}: {call.pnr} is {row and row[1]}")
    return Audit(
        bookings=len(bookings),
        documents=len(documents),
        lost=tuple(lost),
        doubled=tuple(_doubled(bookings, documents)),
        excused=excused,
    )


def _facts(call: Call) -> Iterable[str]:
    """The names of the facts that an answer says are true."""
    match call.kind, call.status:
        case Kind.LOCK, 201:
            yield f"{call.answer['hold']}:held"
        case Kind.CONFIRM, 201:
            yield f"{call.hold}:confirmed"
        case Kind.CANCEL, 200:
            yield f"{call.pnr}:cancelled"


def _doubled(
    bookings: Mapping[str, tuple[str, str]], documents: Mapping[str, str]
) -> Iterable[str]:
    """Two bookings of a hold; more documents of bookings than there are bookings."""
    holds = [hold for hold, _ in bookings.values()]
    yield from {f"hold {hold} was booked twice" for hold in holds if holds.count(hold) > 1}
    kinds = list(documents.values())
    cancelled = sum(status == "cancelled" for _, status in bookings.values())
    for kind, number in (("booking.confirmed", len(bookings)), ("booking.cancelled", cancelled)):
        if kinds.count(kind) > number:
            yield f"{kinds.count(kind)} documents {kind} of {number} bookings"


def _in_gap(call: Call, gaps: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a gap says that facts of this time may be lost; by the store's clock."""
    at = datetime.fromisoformat(call.answer["server_time"])
    slack = timedelta(seconds=CLOCK_SECONDS)
    return any(gap["complete_until"] - slack <= at <= gap["noticed_at"] for gap in gaps)

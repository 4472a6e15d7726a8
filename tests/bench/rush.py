"""`make rush`: 10,000 travellers at the same instant for one train of 1,000 seats.

Half of them are bots: they lock what they can get, confirm at once, and when refused try again as
fast as they can until the train is sold. The others are people: they look at the seat map, think,
name a seat they saw free, think over a suggestion when it is gone, fill in a form before they
confirm, and one in ten leaves without confirming, so that a hold has to run out. Everybody wants
one seat for the whole journey. They share some connections, as behind a proxy; the wait for one
counts as latency.
"""

import json
import random
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from reservations.models import BookedSeat
from tests.bench import pages, plots, wire
from tests.bench.figures import latencies, percentiles_ms
from tests.bench.loop import Journey, Loop, Pause
from tests.bench.machine import describe_machine
from tests.bench.quiet import no_collections
from tests.bench.rows import LOCK, confirm_request
from tests.bench.sale import Told, look_after
from tests.bench.served import served
from tests.bench.world import Size, World, make_world

LEAVES: Final = 0.1
PATIENCE_TRIES: Final = 5
PEOPLE, BOTS = "people", "bots"


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """Who comes, over how many connections. Think times are drawn between bounds, in seconds.

    A hold lives for HOLD_TTL_SECONDS; it is shortened, so that seats of those who leave come back
    while somebody still wants them.
    """

    travellers: int = 10_000
    connections: int = 512
    look_seconds: tuple[float, float] = (1.0, 6.0)
    form_seconds: tuple[float, float] = (5.0, 20.0)
    limit_seconds: float = 240.0
    size: Size = field(
        default_factory=lambda: Size(trains=1, days=1, travellers=0, with_password=0)
    )
    settings: dict[str, str] = field(default_factory=lambda: {"HOLD_TTL_SECONDS": "90"})


class _Rush:
    """The sale as its travellers live it: what was locked and sold, when, and by whom."""

    def __init__(self, world: World, crowd: Crowd) -> None:
        self.crowd = crowd
        self.seats = len(world.seats)
        self.run = world.runs[0]
        self.stretch = world.stretch(0, len(world.stops) - 1)
        self.chance = random.Random(11)
        self.began = time.perf_counter()
        self.locked_at: list[float] = []
        self.sold_at: dict[str, list[float]] = {PEOPLE: [], BOTS: []}

    @property
    def is_over(self) -> bool:
        return sum(map(len, self.sold_at.values())) >= self.seats

    def bot(self, token: str) -> Journey:
        body = {"departure": self.run.id, **self.stretch, "count": 1, "preference": "any"}
        request = wire.post(LOCK, body, token)
        while not self.is_over:
            code, answer = yield "lock", request
            if code == 201 and (yield from self._confirm(token, answer, BOTS)):
                return  # one whose hold ran out tries again

    def person(self, token: str) -> Journey:
        seat = None
        for _ in range(PATIENCE_TRIES):
            if seat is None:
                seat = yield from self._look()
                if seat is None:
                    return  # it says sold out: people believe it
            body = {"departure": self.run.id, **self.stretch, "seats": [seat]}
            code, answer = yield "lock", wire.post(LOCK, body, token)
            if code == 201:
                yield from self._fill_in(token, answer)
                return
            suggested = json.loads(answer).get("suggestions") if code == 409 else None
            seat = suggested[0] if suggested else None
            yield Pause(self.chance.uniform(*self.crowd.look_seconds))

    def _look(self) -> "Any":
        path = f"departures/{self.run.id}/seats/"
        _, answer = yield "seat map", wire.get(path, **self.stretch)
        free = [seat["seat"] for seat in json.loads(answer)["seats"] if seat["status"] == "free"]
        yield Pause(self.chance.uniform(*self.crowd.look_seconds))
        return self.chance.choice(free) if free else None

    def _fill_in(self, token: str, held: bytes) -> Journey:
        self.locked_at.append(self._now())
        yield Pause(self.chance.uniform(*self.crowd.form_seconds))
        if self.chance.random() >= LEAVES:
            yield from self._confirm(token, held, PEOPLE, locked=True)

    def _confirm(self, token: str, held: bytes, who: str, *, locked: bool = False) -> "Any":
        """A journey's part; whether it ended with a ticket."""
        if not locked:
            self.locked_at.append(self._now())
        hold = wire.field(held, b"hold")
        code, _ = yield "confirm", confirm_request(token.encode(), hold)
        if code == 201:
            self.sold_at[who].append(self._now())
        return code == 201

    def _now(self) -> float:
        return time.perf_counter() - self.began


def run_rush(crowd: Crowd, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Let them come; the report as plain JSON values."""
    size = Size(**{**asdict(crowd.size), "travellers": crowd.travellers})
    world = make_world(size)
    machine = describe_machine()
    say(f"{crowd.travellers:,} travellers, {len(world.seats):,} seats")
    with served(celery=True, settings=crowd.settings) as server:
        rush = _Rush(world, crowd)
        journeys = [
            rush.bot(token) if number % 2 else rush.person(token)
            for number, token in enumerate(world.tokens)
        ]
        rush.chance.shuffle(journeys)
        with no_collections(), Loop(wire.http_target(server.web.url), shared=True) as loop:
            rush.began = time.perf_counter()
            outcome = loop.closed(
                journeys, connections=crowd.connections, limit_seconds=crowd.limit_seconds
            )
        told = Told.by(outcome)
        say(f"{told.confirms:,} tickets after {outcome.seconds:.1f} s")
        after = look_after(told)
    sold = sorted(rush.sold_at[PEOPLE] + rush.sold_at[BOTS])
    distinct = BookedSeat.objects.filter(live=True).values("seat").distinct().count()
    wrong = after.wrong(told)
    if not len(sold) == distinct == len(world.seats):
        wrong.append(f"{len(sold)} tickets and {distinct} seats sold of {len(world.seats)}")
    return {
        "machine": machine,
        "crowd": asdict(crowd),
        "seats": len(world.seats),
        "sold_out_after_seconds": round(sold[-1], 2) if sold else None,
        "half_sold_after_seconds": round(sold[len(sold) // 2], 2) if sold else None,
        "to_bots": len(rush.sold_at[BOTS]),
        "to_people": len(rush.sold_at[PEOPLE]),
        "codes": outcome.codes(),
        "latency": {
            name: percentiles_ms(latencies(outcome, [name]))
            for name in ("seat map", "lock", "confirm")
        },
        "generator_share": outcome.cpu_seconds / outcome.seconds,
        "picture": {
            "locked": _steps(rush.locked_at),
            "sold to bots": _steps(rush.sold_at[BOTS]),
            "sold to people": _steps(rush.sold_at[PEOPLE]),
        },
        "after": asdict(after),
        "wrong": wrong,
    }


def _steps(moments: list[float]) -> list[tuple[float, int]]:
    """How many until when, a point each half second."""
    steps: list[tuple[float, int]] = [(0.0, 0)]
    ordered = sorted(moments)
    for number, moment in enumerate(ordered, start=1):
        at = round(moment * 2 + 0.5) / 2
        if steps[-1][0] == at:
            steps[-1] = (at, number)
        else:
            steps.append((at, number))
    return steps


def publish_rush(report: dict[str, Any]) -> str:
    """Write JSON, picture and the page's block; the block."""
    pages.keep_json("rush", report)
    plots.lines(
        pages.plot_path("rush"),
        "One train, sold",
        report["picture"],
        x="seconds after the sale opened",
        y="seats",
    )
    crowd, after = report["crowd"], report["after"]
    said = (
        f"**{crowd['travellers']:,} travellers, {report['seats']:,} seats**: sold out after "
        f"{report['sold_out_after_seconds']} s (half of it after "
        f"{report['half_sold_after_seconds']} s); {report['to_bots']:,} tickets went to bots, "
        f"{report['to_people']:,} to people."
    )
    block = "\n\n".join(
        (
            said,
            pages.machine_line(report["machine"]),
            pages.table(
                ("call", "p50 ms", "p95 ms", "p99 ms", "max ms"),
                [(name, *times.values()) for name, times in report["latency"].items() if times],
            ),
            f"- answers: {', '.join(f'{k}: {v:,}' for k, v in report['codes'].items())}\n"
            f"- rows: {after['bookings']:,} bookings of {after['seats']:,} seats, none twice; "
            f"invariants {'all good' if after['invariants']['good'] else '**not all good**'}"
            + (f"; **wrong**: {report['wrong']}" if report["wrong"] else ""),
            "![Seats over time](bench/rush.svg)",
        )
    )
    pages.put("rush", block)
    return block

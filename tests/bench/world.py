"""What the measured calls are about: trains of one line, their departures, travellers."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from django.contrib.auth.hashers import make_password
from django.core.management import call_command

from config import clock
from tests.availability import railway
from trains.models import Departure, Train
from users.models import User

PASSWORD = "slow-to-check-and-easy-to-say"
SLEEPERS = ("SL", 72)
CHAIRS = ("CC", 70)


@dataclass(frozen=True, kw_only=True)
class Size:
    """How large a world is. `legs` one less than stops; `coaches` of each of two classes."""

    trains: int = 24
    legs: int = 20
    sleepers: int = 10
    chairs: int = 4
    days: int = 50
    travellers: int = 5_000
    with_password: int = 64


@dataclass(frozen=True)
class Run:
    """One departure on sale."""

    id: int
    day: date


@dataclass
class World:
    """Stations in order, seats by label (the same on every train), departures, access tokens."""

    stops: tuple[str, ...]
    seats: tuple[str, ...]
    runs: list[Run]
    days: list[date]
    tokens: list[str]
    names: list[str]
    trains: int
    on_sale: tuple[Run, ...]
    """All departures; `runs` are those that may be given away."""
    _given: Iterator[int] = field(default_factory=count)

    def take(self, number: int) -> list[Run]:
        """Departures nobody has been given yet."""
        return [self.runs[next(self._given)] for _ in range(number)]

    def stretch(self, first_leg: int, legs: int) -> dict[str, str]:
        """Source and destination of a call."""
        return {"source": self.stops[first_leg], "destination": self.stops[first_leg + legs]}


def make_world(size: Size, *, seed: int = 1) -> World:
    """Fill the database of this process."""
    stops = tuple(f"B{number:02}" for number in range(size.legs + 1))
    coaches = [(f"S{n + 1}", *SLEEPERS) for n in range(size.sleepers)]
    coaches += [(f"C{n + 1}", *CHAIRS) for n in range(size.chairs)]
    trains = [
        railway.train(f"{20_000 + n}", stops=stops, coaches=coaches, leg_seconds=1800)
        for n in range(size.trains)
    ]
    seats = tuple(f"{label}-{n}" for label, _, capacity in coaches for n in range(1, capacity + 1))
    runs = open_runs(trains, days=size.days)
    random.Random(seed).shuffle(runs)
    return World(
        stops=stops,
        seats=seats,
        runs=runs,
        on_sale=tuple(runs),
        days=sorted({run.day for run in runs}),
        tokens=mint_tokens(size.travellers),
        names=make_people_with_password(size.with_password),
        trains=size.trains,
    )


def open_runs(trains: Sequence[Train], *, days: int) -> list[Run]:
    """Departures of these trains on so many days from the day after tomorrow on, all on sale."""
    today = clock.now().astimezone(ZoneInfo(railway.ZONE)).date()
    ends = {train.pk: train.stops.order_by("sequence").last() for train in trains}
    rows = []
    for train in trains:
        last = ends[train.pk]
        assert last is not None
        for ahead in range(2, days + 2):
            day = today + timedelta(days=ahead)
            starts_at = railway.service_day_start(day)
            rows.append(
                Departure(
                    train=train,
                    service_date=day,
                    starts_at=starts_at,
                    ends_at=starts_at + timedelta(seconds=last.arrival_seconds),
                    sale_opens_at=clock.now() - timedelta(days=1),
                )
            )
    return [Run(row.id, row.service_date) for row in Departure.objects.bulk_create(rows)]


def mint_tokens(number: int) -> list[str]:
    """Access tokens of as many different travellers, by the command made for it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "tokens"
        call_command("mint_tokens", count=number, output=path, verbosity=0)
        return path.read_text().split()


def make_people_with_password(number: int) -> list[str]:
    """Usernames of people who can log in with `PASSWORD`, which is hashed once."""
    hashed = make_password(PASSWORD)
    names = [f"login-{n:05}" for n in range(number)]
    User.objects.bulk_create(
        [
            User(
                username=name,
                email=f"{name}@example.org",
                password=hashed,
                date_joined=clock.now(),
            )
            for name in names
        ]
    )
    return names

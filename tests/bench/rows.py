"""The rows of the table: one kind of HTTP call each, its requests made beforehand.

Every row asks for something else with each call (another traveller, another seat, or a departure
that somebody books meanwhile), so that nothing can be answered twice from one computation. Each
answer's code is counted, and the bodies are looked into: `Faults` says what was wrong.
"""

import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, count, islice
from typing import Any, Final

from tests.bench import wire
from tests.bench.loop import Journey, Loop, Outcome, Pause
from tests.bench.world import PASSWORD, Run, World

LOCK: Final = "reservations/lock/"
CONFIRM: Final = "reservations/confirm/"
LOCK_FIELDS: Final = {
    *("hold", "capability", "status", "departure", "source", "destination", "seats", "fare"),
    *("fence", "expires_at", "expires_in_seconds", "server_time"),
}
LOOK_EVERY: Final = 50
"""One answer in so many is parsed and held against the contract; all are counted by code."""
WRITES_A_SECOND: Final = 50.0
PAGE: Final = 20
DAYS_SEARCHED: Final = 3
SEARCHED_BEFORE: Final = 3_000
LISTED: Final = 200

Supply = Iterator[bytes]


@dataclass
class Faults:
    """Answers whose body was not what the contract says."""

    found: list[str] = field(default_factory=list)
    looked_at: int = 0

    def look(self, body: bytes, is_sound: Callable[[dict[str, Any]], bool]) -> None:
        self.looked_at += 1
        if not is_sound(json.loads(body)):
            self.found.append(body[:300].decode(errors="replace"))


@dataclass(frozen=True)
class Row:
    """One line of the table. `prepare(number)` gives that many requests, not timed.

    `counted` names the calls that count, `good` the code each of them must have. `together` is a
    journey that runs beside the others, uncounted: it changes what they look at.
    """

    name: str
    title: str
    good: int | str
    prepare: Callable[[Loop, int], Sequence[Any]]
    is_sound: Callable[[dict[str, Any]], bool]
    counted: tuple[str, ...] = ()
    likely_rate: int = 8_000
    beside: Callable[[float], Journey] | None = None
    is_json: bool = True
    follow: Callable[[Any, bytes], bytes] | None = None
    """The second call of a pair, from the stock's item and the first answer."""
    left: list[Any] = field(default_factory=list)
    """What a round prepared and did not use."""

    @property
    def calls(self) -> tuple[str, ...]:
        return self.counted or (self.name,)

    def run(
        self, loop: Loop, connections: int, seconds: float, faults: Faults
    ) -> tuple[Outcome, int]:
        """One round: what came of it, and how many units (calls, or pairs) were done."""
        wanted = int(self.likely_rate * seconds) + connections - len(self.left)
        stock = iter([*self.left, *(self.prepare(loop, wanted) if wanted > 0 else ())])
        until = time.perf_counter() + seconds
        journeys = [self._repeat(stock, until, faults) for _ in range(connections)]
        if self.beside:
            journeys.append(self.beside(until))
        outcome = loop.closed(journeys)
        if time.perf_counter() < until:
            faults.found.append("nothing was left to ask for")
        self.left[:] = stock
        return outcome, outcome.count(self.calls[-1], self.good)

    def once(self, item: Any, faults: Faults) -> Journey:
        """One journey of this row, for the open loop."""
        return self._repeat(iter([item]), float("inf"), faults)

    def _repeat(self, stock: Iterator[Any], until: float, faults: Faults) -> Journey:
        for number, item in enumerate(stock):
            request = item[0] if self.follow else item
            code, body = yield self.calls[0], request
            if self.follow and code == 201:
                code, body = yield self.calls[1], self.follow(item, body)
            if code != self.good:
                faults.found.append(f"{code}: {body[:300].decode(errors='replace')}")
            elif self.is_json and number % LOOK_EVERY == 0:
                faults.look(body, self.is_sound)
            if time.perf_counter() >= until:
                return


def listed(world: World) -> int:
    """How many of its people, the last ones, have their holds listed and take no others."""
    return min(LISTED, len(world.tokens) // 2)


class Rows:
    """The rows over one world. Each has departures of its own."""

    def __init__(self, world: World, *, blocks: int = 24) -> None:
        self.world = world
        self.blocks = blocks
        # Nobody else holds for them, so that their lists stay as long as they are.
        others = len(world.tokens) - listed(world)
        self.tokens, self.listed = world.tokens[:others], world.tokens[others:]
        self._turn = count()

    def all(self) -> list[Row]:
        return [
            self.lock_one(),
            self.lock_four(),
            self.lock_together(),
            self.confirm(),
            self.pairs(),
            self.seat_map(),
            self.search(),
            self.hold_list(),
            self.login(),
        ]

    def floor(self) -> Row:
        bare = wire.get("/floor/")
        return Row(
            "floor",
            "bare Django JSON view (the floor)",
            200,
            lambda _, number: [bare] * number,
            lambda body: body == {"status": "ok", "answer": 42},
            likely_rate=60_000,
        )

    def lock_one(self) -> Row:
        supply = self._named(self.world.take(self.blocks * 2), seats=1, legs=self._part(4))
        return Row("lock_1", "lock 1 seat, named", 201, _taking(supply), _is_hold)

    def lock_four(self) -> Row:
        supply = self._named(self.world.take(self.blocks * 6), seats=4, legs=self._part(2))
        return Row(
            "lock_4x10", "lock 4 seats × 10 legs, named", 201, _taking(supply), _is_hold_of(4)
        )

    def lock_together(self) -> Row:
        supply = self._together(self.world.take(self.blocks * 4), seats=2, legs=self._part(4))
        return Row(
            "lock_together", "lock best available, 2 together", 201, _taking(supply), _is_hold_of(2)
        )

    def confirm(self) -> Row:
        supply = self._named(self.world.take(self.blocks), seats=1, legs=self._part(4))

        def prepare(loop: Loop, number: int) -> Sequence[bytes]:
            held: list[bytes] = []

            def lock(request: bytes) -> Journey:
                code, body = yield "prepare", request
                assert code == 201, body
                held.append(_confirm_of(request, body))

            loop.drain(map(lock, islice(supply, number)), connections=16)
            return held

        return Row("confirm", "confirm", 201, prepare, _is_booking, likely_rate=3_000)

    def pairs(self) -> Row:
        supply = self._named(self.world.take(self.blocks), seats=1, legs=self._part(4))
        return Row(
            "pairs",
            "lock + confirm, a pair counted once",
            201,
            lambda _, number: [(request,) for request in islice(supply, number)],
            _is_booking,
            counted=("pair lock", "pair confirm"),
            likely_rate=2_000,
            follow=lambda item, body: _confirm_of(item[0], body),
        )

    def seat_map(self) -> Row:
        runs = self.world.take(self.blocks)
        supply = self._reads(
            f"departures/{run.id}/seats/" for run in _round_robin(runs, random.Random(2))
        )
        number = len(self.world.seats)
        return Row(
            "seat_map",
            f"seat map, {number:,} seats × {len(self.world.stops) - 1} legs",
            200,
            _taking(supply),
            lambda body: len(body["seats"]) == number and "as_of" in body,
            likely_rate=4_000,
            beside=self._writer(runs),
        )

    def search(self) -> Row:
        """Days on which people buy already: they have been searched, each of their departures has
        been looked at, so that its image is loaded, and somebody locks seats on some all the while.
        """
        taken = self.world.take(self.blocks)
        days = sorted({run.day for run in taken})[:DAYS_SEARCHED]
        supply = self._searches(days)
        rows = min(PAGE, self.world.trains)
        looks = [
            wire.get(f"departures/{run.id}/seats/") for run in self.world.on_sale if run.day in days
        ]

        def prepare(loop: Loop, number: int) -> Sequence[bytes]:
            if looks:
                known = islice(supply, SEARCHED_BEFORE)
                loop.drain(map(_look, chain(looks, known)), connections=16)
                looks.clear()
            return list(islice(supply, number))

        return Row(
            "search",
            f"search, {rows} rows",
            200,
            prepare,
            lambda body: len(body["results"]) == rows,
            likely_rate=3_000,
            beside=self._writer([run for run in taken if run.day in days]),
        )

    def hold_list(self) -> Row:
        """Lists of people who hold two places each; taken before the first round."""
        runs = self.world.take(2)
        people = self.listed
        seats = self.world.seats
        locks = [
            wire.post(
                LOCK,
                {"departure": run.id, **self.world.stretch(0, 1), "seats": [seats[n % len(seats)]]},
                token,
            )
            for run in runs
            for n, token in enumerate(people[: len(seats)])
        ]
        asks = [wire.get("reservations/holds/", token) for token in people[: len(seats)]]
        done: list[bool] = []

        def prepare(loop: Loop, number: int) -> Sequence[bytes]:
            if not done:
                taken = loop.drain([_single("prepare", each) for each in locks], connections=4)
                assert taken.count("prepare", 201) == len(locks), taken.codes()
                done.append(True)
            return (asks * (number // len(asks) + 1))[:number]

        return Row(
            "hold_list",
            "list of my 2 holds",
            200,
            prepare,
            lambda body: body["count"] == len(runs),
            likely_rate=3_000,
        )

    def login(self) -> Row:
        bodies = [
            wire.post("auth/login/", {"username": name, "password": PASSWORD})
            for name in self.world.names
        ]
        return Row(
            "login",
            "login (argon2)",
            200,
            lambda _, number: (bodies * (number // len(bodies) + 1))[:number],
            lambda body: {"access", "refresh", "user"} <= body.keys(),
            likely_rate=200,
        )

    def _part(self, number: int) -> int:
        """Legs of a stretch of which that many fit side by side."""
        return max(1, (len(self.world.stops) - 1) // number)

    def _named(self, runs: Sequence[Run], *, seats: int, legs: int) -> Supply:
        """Locks of named seats, each free; ends when every place was asked for once."""
        stretches = [
            self.world.stretch(first, legs)
            for first in range(0, len(self.world.stops) - legs, legs)
        ]
        for place in range(len(self.world.seats) // seats):
            labels = list(self.world.seats[place * seats : (place + 1) * seats])
            for stretch in stretches:
                for run in runs:
                    yield wire.post(
                        LOCK, {"departure": run.id, **stretch, "seats": labels}, self._traveller()
                    )

    def _together(self, runs: Sequence[Run], *, seats: int, legs: int) -> Supply:
        """Locks of best available seats, until half the places are taken."""
        firsts = range(0, len(self.world.stops) - legs, legs)
        for _ in range(len(self.world.seats) // seats // 2):
            for first in firsts:
                for run in runs:
                    body = {"departure": run.id, **self.world.stretch(first, legs), "count": seats}
                    yield wire.post(LOCK, {**body, "preference": "together"}, self._traveller())

    def _traveller(self) -> str:
        return self.tokens[nth_of(len(self.tokens), next(self._turn))]

    def _reads(self, paths: Iterator[str]) -> Supply:
        legs = len(self.world.stops) - 1
        chance = random.Random(3)
        for path in paths:
            first = chance.randrange(legs)
            yield wire.get(path, **self.world.stretch(first, chance.randint(1, legs - first)))

    def _searches(self, days: Sequence[Any]) -> Supply:
        legs = len(self.world.stops) - 1
        chance = random.Random(4)
        while True:
            first = chance.randrange(legs)
            yield wire.get(
                "departures/search/",
                **self.world.stretch(first, chance.randint(1, legs - first)),
                date=chance.choice(days),
                limit=PAGE,
            )

    def _writer(self, runs: Sequence[Run]) -> Callable[[float], Journey]:
        """Somebody who locks seats of these departures all the while, some each second."""
        supply = self._together(runs, seats=2, legs=1)

        def journey(until: float) -> Journey:
            for request in supply:
                yield "writer", request
                yield Pause(1 / WRITES_A_SECOND)
                if time.perf_counter() >= until:
                    return

        return journey


def nth_of(people: int, turn: int) -> int:
    """Whose turn it is: nobody comes again before all others have, and each time round the order
    is shifted, so that nobody meets the same few departures again (a limit would refuse that).
    """
    return (turn + turn // people) % people


def _look(request: bytes) -> Journey:
    code, body = yield "prepare", request
    assert code == 200, body


def _taking(supply: Supply) -> Callable[[Loop, int], Sequence[bytes]]:
    return lambda _, number: list(islice(supply, number))


def _single(name: str, request: bytes) -> Journey:
    yield name, request


def _round_robin(runs: Sequence[Run], chance: random.Random) -> Iterator[Run]:
    while True:
        yield from chance.sample(runs, len(runs))


def _confirm_of(lock: bytes, held: bytes) -> bytes:
    """The confirm that follows a lock, by the same traveller."""
    token = lock[lock.index(b"Bearer ") + 7 : lock.index(b"\r\nContent-Type")]
    return confirm_request(token, wire.field(held, b"hold"))


_CONFIRM: Final = wire.post(CONFIRM, {"hold": "H" * 40}, "TOKEN")


def confirm_request(token: bytes, hold: bytes) -> bytes:
    """A confirm, quickly made: hold ids have one length."""
    assert len(hold) == 40, hold
    return _CONFIRM.replace(b"TOKEN", token).replace(b"H" * 40, hold)


def _is_hold(body: dict[str, Any]) -> bool:
    return body.keys() >= LOCK_FIELDS and body["status"] == "held"


def _is_hold_of(seats: int) -> Callable[[dict[str, Any]], bool]:
    return lambda body: _is_hold(body) and len(body["seats"]) == seats


def _is_booking(body: dict[str, Any]) -> bool:
    return body["status"] == "confirmed" and len(body["pnr"]) >= 6

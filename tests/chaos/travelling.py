"""Travellers at random: they lock, extend, release, confirm, cancel, look, and try again.

Each has a seed, an account and a connection of its own, and makes one call at a time. A request
without an answer is sent again, with the same key or without one, as real clients do.
"""

import random
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.history.recorder import Recorder

ANSWER_SECONDS = 3.0
TRIES = 3


@dataclass
class Stage:
    """What all travellers share: where, and what is on sale just now; `over` ends them.

    `cancels`: the share of bookings that are given back; with less than 1 all is sold in the end.
    """

    url: str
    stops: tuple[str, ...]
    seats: tuple[str, ...]
    travel_class: str
    departures: Sequence[int]
    recorder: Recorder
    pause_seconds: float = 0.04
    cancels: float = 0.7
    over: threading.Event = field(default_factory=threading.Event)


class Traveller(threading.Thread):
    """One of them; `errors` is what no answer of a server may cause."""

    def __init__(self, stage: Stage, *, name: str, token: str, seed: int) -> None:
        super().__init__(name=name, daemon=True)
        self._stage = stage
        self._chance = random.Random(seed)
        self._http = httpx.Client(
            base_url=f"{stage.url}/api/v1",
            headers={"Authorization": f"Bearer {token}"},
            timeout=ANSWER_SECONDS,
            transport=stage.recorder.transport(name),
        )
        self.errors: list[Exception] = []

    def run(self) -> None:
        try:
            while not self._stage.over.is_set():
                if self._chance.random() < 0.15:
                    self._look()
                else:
                    self._journey()
        except Exception as error:  # noqa: BLE001  # told by whoever joins the thread
            self.errors.append(error)

    def _journey(self) -> None:
        hold = self._lock()
        if hold is None:
            return
        path = f"/reservations/holds/{hold['hold']}/"
        fate = self._chance.random()
        if fate < 0.1:
            return  # left to run out
        if fate < 0.25:
            self._send("DELETE", path)
            if self._chance.random() < 0.7:
                return  # else it is confirmed all the same, which must be refused
        elif fate < 0.45:
            self._send("POST", f"{path}extend/")
        elif fate < 0.5:
            self._stage.over.wait(3.2)  # comes back too late
        self._confirm(hold)

    def _lock(self) -> dict[str, Any] | None:
        stage = self._stage
        first, last = sorted(self._chance.sample(range(len(stage.stops)), 2))
        body: dict[str, Any] = {
            "departure": self._chance.choice(stage.departures),
            "source": stage.stops[first],
            "destination": stage.stops[last],
        }
        number = self._chance.choice((1, 1, 2, 3))
        if self._chance.random() < 0.6:
            body["seats"] = self._chance.sample(stage.seats, number)
        else:
            body |= {"travel_class": stage.travel_class, "count": number}
        return self._made("/reservations/lock/", body, keyed=0.7)

    def _confirm(self, hold: dict[str, Any]) -> None:
        body = {"hold": hold["hold"]}
        if self._chance.random() < 0.8:
            body["capability"] = hold["capability"]
        booked = self._made("/reservations/confirm/", body, keyed=0.5)
        if booked is None:
            return
        fate = self._chance.random()
        path = f"/reservations/bookings/{booked['pnr']}/"
        if fate < 0.15:
            self._send("POST", "/reservations/confirm/", body)
        elif fate < 0.3:
            self._send("GET", path)
        if self._chance.random() < self._stage.cancels:
            self._made(f"{path}cancel/", {}, keyed=0.5)

    def _look(self) -> None:
        stage = self._stage
        first, last = sorted(self._chance.sample(range(len(stage.stops)), 2))
        departure = self._chance.choice(stage.departures)
        stretch = f"source={stage.stops[first]}&destination={stage.stops[last]}"
        self._send("GET", f"/departures/{departure}/seats/?{stretch}")

    def _made(self, path: str, body: dict[str, Any], *, keyed: float) -> dict[str, Any] | None:
        """The answer to a POST that was granted, tried again while there is none."""
        key = {"Idempotency-Key": str(uuid.UUID(int=self._chance.getrandbits(128)))}
        headers = key if self._chance.random() < keyed else {}
        for _ in range(TRIES):
            answer = self._send("POST", path, body, headers)
            if answer is not None and answer.status_code < 500:
                granted: dict[str, Any] = answer.json()
                return granted if answer.is_success else None
        return None

    def _send(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response | None:
        if self._stage.over.is_set():
            return None
        time.sleep(self._chance.random() * 2 * self._stage.pause_seconds)
        try:
            return self._http.request(method, path, json=body, headers=headers)
        except httpx.TransportError:
            return None


def let_go(stage: Stage, tokens: Sequence[str], *, seed: int) -> list[Traveller]:
    """Send them all off, one for each token."""
    travellers = [
        Traveller(stage, name=f"t{number}", token=token, seed=seed * 1_000 + number)
        for number, token in enumerate(tokens)
    ]
    for traveller in travellers:
        traveller.start()
    return travellers


def call_back(stage: Stage, travellers: Sequence[Traveller]) -> None:
    """End them all, each after its call; raise what went wrong in one of them."""
    stage.over.set()
    for traveller in travellers:
        traveller.join(ANSWER_SECONDS * 4)
        assert not traveller.is_alive(), f"{traveller.name} does not end"
        for error in traveller.errors:
            raise error

"""Travellers: they call the API's own views, send again what got no answer, and meddle."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from random import Random
from typing import Any, Final

import msgspec
from django.test import RequestFactory
from django.urls import resolve

from config.stores.timing import hurried
from tests.simulator.audit_answers import AnswersAudit, Ask, Reply, in_flight
from tests.simulator.clocks import EPOCH
from tests.simulator.crossing import Crossing
from tests.simulator.faults import Event
from tests.simulator.scheduler import Crashed
from tests.simulator.world import STOPS, Person, World, stop

_requests = RequestFactory()
RETRIES: Final = 3


@dataclass
class Door:
    """Sends requests, as an HTTP client would; what dies inside the server answers nothing."""

    crossing: Crossing
    audit: AnswersAudit
    after_request: Callable[[], None]

    def send(self, person: Person, ask: Ask) -> Reply:
        self.crossing.say(f"asks {ask.verb} {ask.subject} {ask.key or ''} {ask.body or ''}")
        actor = self.crossing.scheduler.current
        assert actor is not None
        try:
            reply = self._call(person, ask)
        except Crashed:
            actor.is_crashed = False
            reply = Reply(0)
        finally:
            self.after_request()
        self.crossing.say(f"is told {reply.status} {json.dumps(reply.body)[:300]}")
        self.audit.judge(ask, reply)
        return reply

    def _call(self, person: Person, ask: Ask) -> Reply:
        headers = {"Authorization": f"Bearer {person.token}"}
        if ask.key is not None:
            headers["Idempotency-Key"] = ask.key
        request: Any = _requests.generic(
            ask.method,
            f"/api/v1/{ask.path}",
            b"" if ask.body is None else msgspec.json.encode(ask.body),
            content_type="application/json",
            headers=headers,
        )
        found = resolve(request.path_info)
        with hurried():
            response = found.func(request, *found.args, **found.kwargs)
        content = response.content
        return Reply(response.status_code, json.loads(content) if content else {})


@dataclass
class Holding:
    """A hold as its owner knows it."""

    hold: str
    capability: str
    ends_at: datetime
    seats: int


@dataclass
class Traveller:
    """One person's life in the simulation: some calls, with pauses that like deadlines."""

    name: str
    person: Person
    world: World
    door: Door
    chance: Random
    others: "list[Traveller]"
    holds: list[Holding] = field(default_factory=list)
    pnrs: list[str] = field(default_factory=list)
    keys: int = 0

    def live(self) -> None:
        for _ in range(self.chance.randint(4, 10)):
            self._think()
            acts = [self._lock, self._lock, self._look, self._list]
            if self.holds:
                acts += [self._confirm] * 4 + [self._release, self._extend, self._show]
            if self.pnrs:
                acts += [self._cancel, self._see_booking]
            if self._victims():
                acts.append(self._meddle)
            self.chance.choice(acts)()

    # Calls

    def _lock(self) -> None:
        from_stop, to_stop = sorted(self.chance.sample(STOPS, 2))
        body: dict[str, Any] = {
            "departure": self.chance.choice(self.world.departures),
            "source": stop(from_stop),
            "destination": stop(to_stop),
        }
        count = self.chance.randint(1, 2)
        if self.chance.random() < 0.6:
            body["seats"] = self.chance.sample(self.world.labels, count)
        else:
            body["count"] = count
            if self.chance.random() < 0.5:
                body["travel_class"] = "SL"
        self._ask("lock", "POST", "reservations/lock/", body, seats=count, key=self._key(0.6))

    def _confirm(self) -> None:
        holding = self.chance.choice(self.holds)
        body: dict[str, Any] = {"hold": holding.hold}
        if self.chance.random() < 0.6:
            body["capability"] = holding.capability
        if self.chance.random() < 0.3:
            body["passengers"] = [{"name": "P"}] * holding.seats
        path = "reservations/confirm/"
        if self.chance.random() < 0.15:  # a second thought, while the first is under way
            act = self.chance.choice((self._release, self._extend))
            self.door.crossing.scheduler.start(f"{self.name} rival", partial(act, holding.hold))
        self._ask("confirm", "POST", path, body, subject=holding.hold, key=self._key(0.5))

    def _release(self, hold: str = "") -> None:
        self._about_a_hold("release", "DELETE", "", hold)

    def _extend(self, hold: str = "") -> None:
        self._about_a_hold("extend", "POST", "extend/", hold)

    def _show(self) -> None:
        self._about_a_hold("show", "GET", "", "")

    def _about_a_hold(self, verb: str, method: str, rest: str, hold: str) -> None:
        hold = hold or self.chance.choice(self.holds).hold
        self._ask(verb, method, f"reservations/holds/{hold}/{rest}", subject=hold)

    def _list(self) -> None:
        self._ask("list", "GET", "reservations/holds/")

    def _look(self) -> None:
        departure = self.chance.choice(self.world.departures)
        path = f"departures/{departure}/seats/?source={stop(0)}&destination={stop(33)}"
        self._ask("look", "GET", path)

    def _cancel(self) -> None:
        pnr = self.chance.choice(self.pnrs)
        path = f"reservations/bookings/{pnr}/cancel/"
        self._ask("cancel", "POST", path, {}, subject=pnr, key=self._key(0.4))

    def _see_booking(self) -> None:
        pnr = self.chance.choice(self.pnrs)
        self._ask("see", "GET", f"reservations/bookings/{pnr}/", subject=pnr)

    def _meddle(self) -> None:
        """Somebody else's hold or booking, known by its name."""
        other = self.chance.choice(self._victims())
        if other.holds and (not other.pnrs or self.chance.random() < 0.6):
            hold = self.chance.choice(other.holds)
            path = f"reservations/holds/{hold.hold}/"
            body = {"hold": hold.hold, "capability": hold.capability}
            ways: list[tuple[str, str, dict[str, str] | None]] = [
                ("GET", path, None),
                ("DELETE", path, None),
                ("POST", f"{path}extend/", None),
                ("POST", "reservations/confirm/", body),
            ]
        else:
            path = f"reservations/bookings/{self.chance.choice(other.pnrs)}/"
            ways = [("GET", path, None), ("POST", f"{path}cancel/", {})]
        method, path, said = self.chance.choice(ways)
        self._ask("meddle", method, path, said, is_foreign=True)

    def _victims(self) -> "list[Traveller]":
        return [each for each in self.others if each is not self and (each.holds or each.pnrs)]

    # How they ask

    def _ask(
        self, verb: str, method: str, path: str, body: dict[str, Any] | None = None, **more: Any
    ) -> None:
        """Send it; sometimes twice at once; again where the outcome is unknown."""
        ask = Ask(user=self.person.user.pk, verb=verb, method=method, path=path, body=body, **more)
        faults, scheduler = self.door.crossing.faults, self.door.crossing.scheduler
        if faults.happens(Event.REQUEST_TWICE):
            faults.count(Event.REQUEST_TWICE)
            scheduler.start(f"{self.name} twin", partial(self._send, ask))
        for _ in range(RETRIES):
            reply = self._send(ask)
            unknown = reply.status in {0, 503} or in_flight(reply)
            if not unknown or self.chance.random() < 0.3:
                return
            scheduler.pause(self.chance.choice((0.0, 1.0, 40.0, 185.0)))

    def _send(self, ask: Ask) -> Reply:
        reply = self.door.send(self.person, ask)
        if ask.verb in {"lock", "extend"} and reply.status in {200, 201}:
            self._remember(reply.body)
        elif ask.verb == "confirm" and reply.body.get("pnr", "") not in {"", *self.pnrs}:
            self.pnrs.append(reply.body["pnr"])
        return reply

    def _remember(self, body: dict[str, Any]) -> None:
        ends_at = datetime.fromisoformat(body["expires_at"])
        new = Holding(body["hold"], body["capability"], ends_at, len(body["seats"]))
        self.holds = [each for each in self.holds if each.hold != new.hold] + [new]

    def _key(self, share: float) -> str | None:
        """A new Idempotency-Key, or none."""
        if self.chance.random() >= share:
            return None
        self.keys += 1
        return f"{self.name.replace(' ', '-')}-{self.keys}"

    def _think(self) -> None:
        """Wait a moment, or until about the deadline of a hold."""
        seconds = self.chance.choice((0.0, 0.0, 0.0, 0.2, 2.0, 40.0, 100.0))
        if self.holds and self.chance.random() < 0.25:
            ends_at = self.chance.choice(self.holds).ends_at
            now = self.door.crossing.scheduler.clocks.redis()
            left = (ends_at - EPOCH).total_seconds() - now / 1e6
            seconds = max(0.0, left + self.chance.choice((-1.0, -0.005, 0.0, 0.001, 0.5)))
        self.door.crossing.scheduler.pause(seconds)

"""Travellers over real HTTP, one connection each, and what they are answered."""

import http.client
import json
import threading
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.engine import Traveller
from tests.race import hooks
from trains.models import Departure


@dataclass(frozen=True)
class Reply:
    """An answer; status 0: the connection died before one came."""

    status: int
    body: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes = b""

    @property
    def code(self) -> str:
        return str(self.body.get("code", ""))

    @property
    def is_replay(self) -> bool:
        return self.headers.get("idempotency-replayed") == "true"


class Rider:
    """One traveller with a token; each thread that acts for it has a connection of its own."""

    def __init__(self, url: str, traveller: Traveller) -> None:
        self.user = traveller.user.id
        self.access = traveller.access
        self._address = urlsplit(url).netloc
        self._own = threading.local()

    def send(
        self, method: str, path: str, body: dict[str, Any] | None = None, **headers: str
    ) -> Reply:
        """One request; what this thread asked of `hooks` goes along as headers."""
        sent = {
            "Authorization": f"Bearer {self.access}",
            "Content-Type": "application/json",
            **headers,
        }
        if asked := hooks.asked():
            sent["Test-Request"] = asked.request
            sent["Test-Stop"] = " ".join(asked.stops)
            sent["Test-Without"] = " ".join(asked.without)
        content = None if body is None else json.dumps(body)
        try:
            line = self._line()
            line.request(method, f"/api/v1/{path}", content, sent)
            answer = line.getresponse()
            raw = answer.read()
        except (http.client.HTTPException, OSError):
            self._own.line = None
            return Reply(0)
        told = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, json.loads(raw) if raw else {}, told, raw)

    def _line(self) -> http.client.HTTPConnection:
        line: http.client.HTTPConnection | None = getattr(self._own, "line", None)
        if line is None:
            line = self._own.line = http.client.HTTPConnection(self._address, timeout=60)
        return line

    def lock(
        self,
        departure: Departure,
        *seats: str,
        key: str | None = None,
        source: str = "AAA",
        destination: str = "EEE",
        **wish: Any,
    ) -> Reply:
        """Lock these seats, or what else is wished for (`count`, `travel_class`)."""
        body = {"departure": departure.id, "source": source, "destination": destination, **wish}
        if seats:
            body["seats"] = list(seats)
        return self.send("POST", "reservations/lock/", body, **_keyed(key))

    def hold(self, departure: Departure, *seats: str, **wish: Any) -> str:
        """Lock, and it must succeed: the hold id."""
        reply = self.lock(departure, *seats, **wish)
        assert reply.status == 201, reply
        return str(reply.body["hold"])

    def confirm(self, hold: str, *, key: str | None = None, **more: Any) -> Reply:
        return self.send("POST", "reservations/confirm/", {"hold": hold, **more}, **_keyed(key))

    def book(self, departure: Departure, *seats: str, **wish: Any) -> str:
        """Lock and confirm, and both must succeed: the PNR."""
        reply = self.confirm(self.hold(departure, *seats, **wish))
        assert reply.status == 201, reply
        return str(reply.body["pnr"])

    def cancel(self, pnr: str, *seats: str, key: str | None = None) -> Reply:
        body = {"seats": list(seats)} if seats else {}
        return self.send("POST", f"reservations/bookings/{pnr}/cancel/", body, **_keyed(key))

    def extend(self, hold: str) -> Reply:
        return self.send("POST", f"reservations/holds/{hold}/extend/")

    def release(self, hold: str) -> Reply:
        return self.send("DELETE", f"reservations/holds/{hold}/")

    def holds(self) -> list[str]:
        """My live holds, as the list tells them."""
        reply = self.send("GET", "reservations/holds/")
        return [hold["hold"] for hold in reply.body["results"]]


def _keyed(key: str | None) -> dict[str, str]:
    return {} if key is None else {"Idempotency-Key": key}

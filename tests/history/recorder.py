"""Write down what httpx clients ask and are told, by standing between them and the network.

    recorder = Recorder()
    anna = httpx.Client(base_url=…, transport=recorder.transport("anna"))

Whoever uses the client notices nothing. Safe from many threads.
"""

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx

from tests.history.events import Call, History, Kind, Route, Sleep, sort

_PATHS: Final = (
    ("POST", re.compile(r"/reservations/lock/$"), Kind.LOCK),
    ("POST", re.compile(r"/reservations/holds/(?P<hold>[^/]+)/extend/$"), Kind.EXTEND),
    ("GET", re.compile(r"/reservations/holds/(?P<hold>[^/]+)/$"), Kind.SHOW_HOLD),
    ("DELETE", re.compile(r"/reservations/holds/(?P<hold>[^/]+)/$"), Kind.RELEASE),
    ("POST", re.compile(r"/reservations/confirm/$"), Kind.CONFIRM),
    ("POST", re.compile(r"/reservations/bookings/(?P<pnr>[^/]+)/cancel/$"), Kind.CANCEL),
    ("GET", re.compile(r"/reservations/bookings/(?P<pnr>[^/]+)/$"), Kind.SHOW_BOOKING),
    ("GET", re.compile(r"/departures/(?P<departure>\d+)/seats/$"), Kind.SEATS),
)


class Recorder:
    """All calls of all clients; those that no rule is about are left out."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._open: dict[int, Call] = {}
        self._done: list[Call] = []
        self._number = 0

    def transport(
        self, client: str, inner: httpx.BaseTransport | None = None
    ) -> httpx.BaseTransport:
        """The transport of one client, which makes one call at a time."""
        return _Transport(self, client, inner or httpx.HTTPTransport())

    def history(
        self,
        routes: Mapping[int, Route],
        *,
        sleeps: tuple[Sleep, ...] = (),
        late_seconds: float = 0.0,
        hold_ttl_seconds: float = 180.0,
        hold_max_total_seconds: float = 600.0,
    ) -> History:
        """What was recorded so far; calls under way have no answer."""
        with self._lock:
            calls = sort([*self._done, *self._open.values()])
        return History(
            calls=calls,
            routes=routes,
            sleeps=sleeps,
            late_seconds=late_seconds,
            hold_ttl_seconds=hold_ttl_seconds,
            hold_max_total_seconds=hold_max_total_seconds,
        )

    def begin(self, call: Callable[[float], Call]) -> int:
        """A call begins now; `call` is told when that is."""
        with self._lock:
            self._number += 1
            self._open[self._number] = call(self._clock())
            return self._number

    def end(self, number: int, answer: httpx.Response | None) -> None:
        """Its answer has come, or it is clear that none will (None)."""
        with self._lock:
            call = self._open.pop(number)
            told: dict[str, Any] = {}
            if answer is not None:
                told = {
                    "returned": self._clock(),
                    "status": answer.status_code,
                    "answer": _json(answer),
                    "replayed": "Idempotency-Replayed" in answer.headers,
                }
            self._done.append(Call(**{**vars(call), **told}))


class _Transport(httpx.BaseTransport):
    def __init__(self, recorder: Recorder, client: str, inner: httpx.BaseTransport) -> None:
        self._recorder = recorder
        self._client = client
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        parts = _parts(request)
        if parts is None:
            return self._inner.handle_request(request)
        number = self._recorder.begin(lambda now: Call(client=self._client, invoked=now, **parts))
        answer = None
        try:
            answer = self._inner.handle_request(request)
            answer.read()
        except httpx.TransportError:
            answer = None
            raise
        finally:
            self._recorder.end(number, answer)
        return answer

    def close(self) -> None:
        self._inner.close()


def _parts(request: httpx.Request) -> dict[str, Any] | None:
    """What the call asks for; None if no rule is about it."""
    found = [
        (kind, match)
        for method, pattern, kind in _PATHS
        if method == request.method and (match := pattern.search(request.url.path))
    ]
    if not found:
        return None
    ((kind, match),) = found
    parts: dict[str, Any] = {"kind": kind, **match.groupdict()}
    parts["departure"] = int(parts.get("departure", 0))
    parts["key"] = request.headers.get("Idempotency-Key", "")
    query = request.url.params
    if kind is Kind.SEATS:
        parts["stretch"] = (query.get("source", ""), query.get("destination", ""))
    body = _body(request)
    if kind is Kind.CONFIRM:
        parts["hold"] = body.get("hold", "")
    if kind is Kind.LOCK:
        parts |= {
            "departure": body.get("departure", 0),
            "stretch": (body.get("source", ""), body.get("destination", "")),
            "seats": tuple(body.get("seats", ())),
            "count": body.get("count", 0),
            "travel_class": body.get("travel_class"),
        }
    return parts


def _body(request: httpx.Request) -> dict[str, Any]:
    try:
        body = json.loads(request.content or b"{}")
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json() if answer.content else {}
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}

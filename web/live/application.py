"""The ASGI application: sockets at `/ws/departures/<id>/`, and `/health/live/`, `/metrics`."""

import logging
from http import HTTPStatus
from typing import Any, Final

import msgspec
from django.db import Error as DatabaseError
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from config.errors import PROBLEMS, Invalid, NotAuthenticated, NotFound, SeatlockError
from web.live import metrics
from web.live.door import Refused, Scope, Wish, read_wish
from web.live.feeds import Feed
from web.live.hub import Hub
from web.live.looking import in_thread
from web.live.rooms import Room
from web.live.sockets import Receive, Send, Socket, claims_of

logger = logging.getLogger(__name__)

ABORT: Final = "seatlock.abort"
RETRY_AFTER_SECONDS: Final = 10


class Application:
    """One process's sockets. `hub` is made when the server starts, in its event loop."""

    def __init__(self) -> None:
        self.hub: Hub | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "lifespan":
                await self._live(receive, send)
            case "websocket":
                await self._socket(scope, receive, send)
            case _:
                await self._answer(scope, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self.hub = Hub()
        await self.hub.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.hub.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        hub = self.hub
        assert hub is not None  # noqa: S101  # the server starts us before it listens
        await receive()  # websocket.connect
        try:
            wish = read_wish(scope)
        except Refused as refused:
            await _refuse(send, refused)
            return
        try:
            claims = await in_thread(claims_of, wish.token) if wish.token else None
        except NotAuthenticated:
            await _refuse(send, Refused(HTTPStatus.UNAUTHORIZED, "not-authenticated"))
            return
        place = hub.limits.enter(wish.network, claims.caller.user_id if claims else None)
        if place is None:
            await _refuse(send, Refused(HTTPStatus.TOO_MANY_REQUESTS, "throttled"))
            return
        abort = scope.get("extensions", {}).get(ABORT)
        socket = Socket(receive=receive, send=send, abort=abort, place=place)
        if claims is not None:
            socket.belongs_to(claims)
        try:
            await self._serve(hub, socket, wish, send)
        finally:
            hub.limits.leave(place)

    async def _serve(self, hub: Hub, socket: Socket, wish: Wish, send: Send) -> None:
        try:
            feed, room = await _entered(hub, wish)
        except Refused as refused:
            await _refuse(send, refused)
            return
        try:
            await send({"type": "websocket.accept"})
            hub.sockets.add(socket)
            metrics.SOCKETS.set(len(hub.sockets))
            await socket.run(room, wish, hub.limits)
        finally:
            hub.sockets.discard(socket)
            metrics.SOCKETS.set(len(hub.sockets))
            await hub.leave(feed, room)

    async def _answer(self, scope: Scope, send: Send) -> None:
        """Plain HTTP: is it alive, and how is it?"""
        status, kind, body = HTTPStatus.NOT_FOUND, "application/problem+json", _problem("not-found")
        if scope["path"] == "/health/live/":
            status, kind, body = HTTPStatus.OK, "application/json", b'{"status":"live"}'
        elif scope["path"] == "/metrics":
            status, kind = HTTPStatus.OK, CONTENT_TYPE_LATEST
            body = generate_latest(metrics.REGISTRY)
        headers = [
            (b"content-type", kind.encode()),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": int(status), "headers": headers})
        await send({"type": "http.response.body", "body": body})


async def _entered(hub: Hub, wish: Wish) -> tuple[Feed, Room]:
    """Raises `Refused`."""
    try:
        return await hub.enter(wish)
    except NotFound:
        raise Refused(HTTPStatus.NOT_FOUND, "not-found") from None
    except Invalid:
        raise Refused(HTTPStatus.BAD_REQUEST, "invalid") from None
    except (SeatlockError, DatabaseError) as away:
        logger.warning("departure %s cannot be shown: %s", wish.departure, away)
        raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable") from None


async def _refuse(send: Send, refused: Refused) -> None:
    """Answer the handshake with a problem document; a browser only sees that it failed."""
    metrics.REFUSED.labels(refused.code).inc()
    headers = [(b"content-type", b"application/problem+json")]
    if refused.status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        headers.append((b"retry-after", str(RETRY_AFTER_SECONDS).encode()))
    start = "websocket.http.response.start"
    await send({"type": start, "status": int(refused.status), "headers": headers})
    await send({"type": "websocket.http.response.body", "body": _problem(refused.code)})


def _problem(code: str) -> bytes:
    problem = PROBLEMS[code]
    body: dict[str, Any] = {
        "type": f"/problems/{code}",
        "title": problem.title,
        "status": int(problem.status),
        "code": code,
    }
    return msgspec.json.encode(body)

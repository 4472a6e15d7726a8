"""One socket: it enters a room, sends what the room tells at its own pace, and leaves.

    reader (the task the server runs)      token, close of the peer
    sender (its child)                     snapshot or what was missed, then the log, in order

Closed by us with: 4400 it said what it may not, 4401 its login ended, or its token is bad, or ran
out and no newer one came, 4408 it does not keep up, 4429 its user has too many.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

import msgspec

from config.errors import NotAuthenticated
from users.claims import Claims, read
from users.tokens import is_ended
from web.live import metrics
from web.live.door import Wish
from web.live.limits import Limits, Place
from web.live.looking import in_thread
from web.live.rooms import Fallen, Room

logger = logging.getLogger(__name__)

BAD_MESSAGE: Final = 4400
LOGIN_ENDED: Final = 4401
TOO_SLOW: Final = 4408
TOO_MANY: Final = 4429
REASONS: Final = {
    BAD_MESSAGE: "bad-message",
    LOGIN_ENDED: "not-authenticated",
    TOO_SLOW: "too-slow",
    TOO_MANY: "limit-reached",
}
IDENTIFIED: Final = '{"type":"identified"}'
# Enough to renew a token before each runs out; more is somebody who plays.
TOKENS_AT_MOST: Final = 20
TOKENS_WITHIN_SECONDS: Final = 3600.0

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Said(msgspec.Struct, tag_field="type", tag="token", forbid_unknown_fields=True):
    """The one thing a client may say: whose it is."""

    access: str


_decode = msgspec.json.Decoder(Said).decode


class Socket:
    """An open socket in a room. `abort` cuts the connection without a word."""

    def __init__(
        self, *, receive: Receive, send: Send, abort: Callable[[], None] | None, place: Place
    ) -> None:
        self._receive = receive
        self._send = send
        self._abort = abort
        self.place = place
        self.sid: str | None = None
        self.token_ends_at: int | None = None
        self.sending_since: float | None = None
        self._closing: asyncio.Task[None] | None = None

    async def run(self, room: Room, wish: Wish, limits: Limits) -> None:
        """Until the peer goes or is closed."""
        sender = asyncio.create_task(self._send_all(room, wish))
        sender.add_done_callback(self._sender_ended)
        try:
            await self._read_all(limits)
        finally:
            sender.cancel()
            await asyncio.wait([sender])

    async def identify(self, token: str, limits: Limits) -> int | None:
        """Whose socket this is, by an access token; the code to close with if it may not stay."""
        try:
            claims = await in_thread(claims_of, token)
        except NotAuthenticated:
            return LOGIN_ENDED
        if not limits.identify(self.place, claims.caller.user_id):
            return TOO_MANY
        self.belongs_to(claims)
        return None

    def belongs_to(self, claims: Claims) -> None:
        """It lives as long as the login, and no longer than the latest token it showed."""
        self.sid = claims.caller.sid
        self.token_ends_at = claims.expires_at

    def close(self, code: int) -> None:
        """Close with a word, for whom it may concern; not waited for."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(code))

    def drop(self) -> None:
        """Cut off a reader that takes nothing: a word would wait behind what it does not read."""
        metrics.DROPPED.labels(REASONS[TOO_SLOW]).inc()
        if self._abort is not None:
            self._abort()

    def _sender_ended(self, sender: "asyncio.Task[None]") -> None:
        """A peer that went in the middle of a send is no error; all else is one, and ends us."""
        error = None if sender.cancelled() else sender.exception()
        if error is not None and not isinstance(error, OSError):
            logger.error("a socket's sender failed", exc_info=error)
            if self._abort is not None:
                self._abort()

    async def _close(self, code: int) -> None:
        metrics.DROPPED.labels(REASONS[code]).inc()
        self.sending_since = asyncio.get_running_loop().time()
        # The peer may have gone, or been closed, in the same moment.
        with contextlib.suppress(OSError, RuntimeError):
            await self._send({"type": "websocket.close", "code": code, "reason": REASONS[code]})

    async def _read_all(self, limits: Limits) -> None:
        tokens, since = 0, asyncio.get_running_loop().time()
        while (message := await self._receive())["type"] != "websocket.disconnect":
            now = asyncio.get_running_loop().time()
            if now - since > TOKENS_WITHIN_SECONDS:
                tokens, since = 0, now
            tokens += 1
            try:
                said = _decode(message.get("text") or b"")
            except msgspec.DecodeError:
                self.close(BAD_MESSAGE)
                continue
            code: int | None = BAD_MESSAGE
            if tokens <= TOKENS_AT_MOST:
                code = await self.identify(said.access, limits)
            if code is None:
                await self._send({"type": "websocket.send", "text": IDENTIFIED})
            else:
                self.close(code)

    async def _send_all(self, room: Room, wish: Wish) -> None:
        position = room.resumed(wish.stream, wish.seq) if wish.stream else None
        if position is None:
            position = room.end
            await self._tell(room.snapshot())
        else:
            await self._tell(room.welcome_back(wish.seq))
        try:
            while True:
                await self._tell(await room.next(position))
                position += 1
        except Fallen:
            self.close(TOO_SLOW)

    async def _tell(self, text: str) -> None:
        self.sending_since = asyncio.get_running_loop().time()
        await self._send({"type": "websocket.send", "text": text})
        self.sending_since = None
        metrics.MESSAGES.inc()


def claims_of(token: str) -> Claims:
    """Whose a token is, and until when. Raises `NotAuthenticated`."""
    claims = read(token, kind="access")
    if claims.has_expired or is_ended(claims.caller.sid):
        raise NotAuthenticated
    return claims

"""Uvicorn's WebSocket protocol, which can also cut a connection off, and encodes a text once.

ASGI can only close with a word, and asyncio's `close` first sends what is buffered: both wait for
a peer that reads nothing, for as long as its machine lives.
"""

import asyncio
import socket
from asyncio.transports import BaseTransport
from functools import lru_cache
from typing import Any, Final

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State

from web.live.application import ABORT

# What is left for a peer to read when we are done with it.
FLUSH_SECONDS: Final = 5.0
# Of the kernel, for one socket. Left alone it grows to megabytes before a slow reader is noticed.
SEND_BUFFER_BYTES: Final = 65_536
# Texts that thousands are told: the last changes of some rooms, and their snapshots.
FRAMES_KEPT: Final = 64


class CuttingProtocol(WebSocketsSansIOProtocol):
    """Gives the application `seatlock.abort`; never waits for a dead peer."""

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        extensions: dict[str, Any] | None = getattr(self, "scope", {}).get("extensions")
        if extensions is not None:  # else the handshake was none
            extensions[ABORT] = self.transport.abort

    async def send(self, message: Any) -> None:
        if message["type"] == "websocket.send" and not self.close_sent:
            await self._send_text(message["text"])
            return
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = True  # refused with an answer, which uvicorn calls an error

    async def _send_text(self, text: str) -> None:
        """As uvicorn does it, but for the frame, which is the same for all who are told this."""
        if not self.writable.is_set():
            await self.writable.wait()
        if self.disconnected or self.conn.state is not State.OPEN:
            raise ClientDisconnected
        self.transport.write(_frame(text))

    def keepalive_timeout(self) -> None:
        """No answer to a PING: nothing that is written now would be read."""
        super().keepalive_timeout()
        self.transport.abort()

    def on_task_complete(self, task: "asyncio.Task[None]") -> None:
        super().on_task_complete(task)
        if not self.disconnected:
            self.loop.call_later(FLUSH_SECONDS, self.transport.abort)


@lru_cache(FRAMES_KEPT)
def _frame(text: str) -> bytes:
    """A whole message, unmasked, as a server's are, and not compressed, as we agree to none."""
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=False, extensions=[])

"""Thousands of cheap WebSocket clients in one loop: a bare protocol that only counts and times.

A message that was seen before costs a look into a dictionary: what is measured is the server.
"""

import asyncio
import base64
import os
import struct
import time
from collections.abc import Callable
from functools import partial
from typing import Final

Hear = Callable[[bytes, float], None]
HANDSHAKE: Final = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
TEXT, CLOSE, PING = 1, 8, 9


class Client(asyncio.Protocol):
    """One socket. `hear` is called with each text message and when its bytes were read."""

    def __init__(self, path: str, port: int, hear: Hear) -> None:
        self._path, self._port, self._hear = path, port, hear
        self._buffer = b""
        self._is_open = False
        self.closed = False
        self.messages = 0
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(HANDSHAKE.format(path=self._path, port=self._port, key=key).encode())

    def data_received(self, data: bytes) -> None:
        at = time.monotonic()
        self._buffer += data
        if not self._is_open:
            head, end, rest = self._buffer.partition(b"\r\n\r\n")
            if not end:
                return
            assert b" 101 " in head[:20], head
            self._is_open, self._buffer = True, rest
        while (frame := self._frame()) is not None:
            kind, payload = frame
            if kind == TEXT:
                self.messages += 1
                self._hear(payload, at)
            elif kind == PING and self.transport is not None:
                # A client masks what it sends; four zeros are a mask, too.
                self.transport.write(bytes([0x8A, 0x80 | len(payload)]) + bytes(4) + payload)
            elif kind == CLOSE:
                self.closed = True

    def connection_lost(self, _exc: Exception | None) -> None:
        self.closed = True

    def _frame(self) -> tuple[int, bytes] | None:
        """The next whole frame; servers do not split theirs."""
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        length, start = buffer[1] & 0x7F, 2
        if length == 126 and len(buffer) >= 4:
            length, start = struct.unpack_from("!H", buffer, 2)[0], 4
        elif length == 127 and len(buffer) >= 10:
            length, start = struct.unpack_from("!Q", buffer, 2)[0], 10
        elif length >= 126:
            return None
        if len(buffer) < start + length:
            return None
        self._buffer = buffer[start + length :]
        return buffer[0] & 0x0F, buffer[start : start + length]


async def open_sockets(number: int, *, path: str, port: int, hear: Hear) -> list[Client]:
    """So many sockets, a hundred at a time."""
    loop = asyncio.get_running_loop()
    clients: list[Client] = []
    for start in range(0, number, 100):
        some = [Client(path, port, hear) for _ in range(min(100, number - start))]
        await asyncio.gather(
            *(loop.create_connection(partial(_same, client), "127.0.0.1", port) for client in some)
        )
        clients += some
        while not all(client.messages for client in some):
            assert not any(client.closed for client in some), "the server closed a socket"
            await asyncio.sleep(0.005)
    return clients


def _same(client: Client) -> Client:
    return client

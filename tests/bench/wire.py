"""Requests as bytes, made before they are timed, and where answers end."""

import json
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import hiredis

from config.stores.urls import redis_address, redis_parts
from tests.bench.loop import Answer, Target

API: Final = "/api/v1/"
FLOOR_PATH: Final = "/floor/"
_LENGTH: Final = b"content-length: "


class HttpFraming:
    """HTTP/1.1 answers with a length, as granian sends them, keep-alive."""

    __slots__ = ("_kept", "_wanted")

    def __init__(self) -> None:
        self._kept = b""
        self._wanted = 0

    def feed(self, chunk: bytes) -> Answer | None:
        if self._kept:
            chunk = self._kept + chunk
        if len(chunk) < self._wanted:
            self._kept = chunk
            return None
        end = chunk.find(b"\r\n\r\n")
        if end < 0:
            self._kept = chunk
            return None
        at = chunk.find(_LENGTH, 0, end)
        if at < 0:
            assert chunk[9:12] == b"204", chunk[:end]
            length = 0
        else:
            length = int(chunk[at + 16 : chunk.index(b"\r", at)])
        total = end + 4 + length
        if len(chunk) < total:
            self._kept, self._wanted = chunk, total
            return None
        assert len(chunk) == total, "an answer nobody asked for"
        self._kept, self._wanted = b"", 0
        return int(chunk[9:12]), chunk[end + 4 :]


class RespFraming:
    """Redis's answers; the code is the first word of a script's answer, or `error`."""

    __slots__ = ("_reader",)

    def __init__(self) -> None:
        self._reader = hiredis.Reader()

    def feed(self, chunk: bytes) -> Answer | None:
        self._reader.feed(chunk)
        reply = self._reader.gets()
        if reply is False:
            return None
        if isinstance(reply, Exception):
            return "error", str(reply).encode()
        if isinstance(reply, list):
            return reply[0].decode(), b""
        return "ok", b""


def http_target(url: str) -> Target:
    parts = urlsplit(url)
    return Target((str(parts.hostname), int(parts.port or 80)), HttpFraming)


def redis_target(url: str) -> Target:
    password = redis_parts(url).get("password")
    greeting = command("AUTH", password) if password else command("PING")
    return Target(redis_address(url), RespFraming, greeting)


def command(*words: object) -> bytes:
    """A Redis command as it goes over the wire."""
    parts = [f"*{len(words)}\r\n".encode()]
    for word in words:
        text = word if isinstance(word, bytes) else str(word).encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(text), text))
    return b"".join(parts)


def get(path: str, token: str | None = None, **query: object) -> bytes:
    where = path if path.startswith("/") else API + path
    if query:
        where += "?" + urlencode(query)
    return _head("GET", where, token) + b"\r\n"


def post(path: str, body: dict[str, Any], token: str | None = None) -> bytes:
    content = json.dumps(body, separators=(",", ":")).encode()
    head = _head("POST", API + path, token)
    return b"%bContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        head,
        len(content),
        content,
    )


def _head(method: str, path: str, token: str | None) -> bytes:
    lines = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n"
    if token:
        lines += f"Authorization: Bearer {token}\r\n"
    return lines.encode()


def field(body: bytes, name: bytes) -> bytes:
    """A text field of a JSON answer, found without parsing the rest. Raises `ValueError`."""
    start = body.index(b'"%b":"' % name) + len(name) + 4
    return body[start : body.index(b'"', start)]

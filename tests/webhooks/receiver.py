"""A partner's server on loopback, that answers as it is told and remembers what it got."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook


@dataclass(frozen=True)
class Got:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def name(self) -> str:
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> Any:
        """The payload, if the specification's own library finds the signature good."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass
class Receiver:
    """`answers` are used up one by one, the last one stays: a status, or a word (see `_answer`)."""

    port: int
    answers: list[int | str] = field(default_factory=lambda: [200])
    got: list[Got] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    ended: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    def next_answer(self) -> int | str:
        with self.lock:
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def receiver() -> Iterator[Receiver]:
    """One on a free port, until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    found = Receiver(server.server_address[1])
    server.receiver = found  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield found
    finally:
        found.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        owner: Receiver = self.server.receiver  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        with owner.lock:
            owner.got.append(Got(self.path, headers, body))
        self._answer(owner, owner.next_answer())

    do_GET = do_POST  # noqa: N815  # the library's names

    def _answer(self, owner: Receiver, answer: int | str) -> None:
        match answer:
            case "hang":  # says nothing for as long as it is asked
                owner.ended.wait()
            case "drip":  # a byte of the head now and then: each read is quick, the whole is not
                for letter in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 10_000:
                    try:
                        self.wfile.write(bytes([letter]))
                    except OSError:
                        return
                    if owner.ended.wait(0.02):
                        return
            case "break":
                self.connection.close()
            case "nonsense":
                self.wfile.write(b"hello\r\n\r\n")
                self.connection.close()
            case int():
                self.send_response(answer)
                for name, value in {"Content-Length": "0", **owner.headers}.items():
                    self.send_header(name, value)
                self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Not on the console."""

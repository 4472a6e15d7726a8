"""The generator itself: where answers end, and that a server that stalls cannot hide it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.bench import wire
from tests.bench.figures import latencies
from tests.bench.loop import LOST, Journey, Loop, Pause, Target

ANSWER = b'HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n{"a": 1}'
STALL_SECONDS = 0.2


def test_an_answer_may_come_in_any_pieces() -> None:
    for cut in range(1, len(ANSWER)):
        framing = wire.HttpFraming()
        assert framing.feed(ANSWER[:cut]) is None
        assert framing.feed(ANSWER[cut:]) == (200, b'{"a": 1}')


def test_an_answer_without_a_body_is_an_answer() -> None:
    assert wire.HttpFraming().feed(b"HTTP/1.1 204 No Content\r\n\r\n") == (204, b"")


def test_a_script_s_first_word_is_its_code() -> None:
    framing = wire.RespFraming()
    assert framing.feed(b"*2\r\n$4\r\nhe") is None
    assert framing.feed(b"ld\r\n$1\r\nx\r\n") == ("held", b"")
    assert framing.feed(b"-ERR no\r\n") == ("error", b"ERR no")


def test_requests_are_what_a_server_expects() -> None:
    sent = wire.post("reservations/lock/", {"count": 1}, "abc")
    head, _, body = sent.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /api/v1/reservations/lock/ HTTP/1.1\r\n")
    assert b"Authorization: Bearer abc" in head
    assert f"Content-Length: {len(body)}".encode() in head
    assert wire.command("GET", "a") == b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n"


@contextmanager
def _server(*, stall_seconds: float = 0.0, answers_a_line: int = 100) -> Iterator[Target]:
    """Answers one request after the other; stalls before the first answer."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        stall = threading.Event()
        while True:
            try:
                line, _ = listening.accept()
            except OSError:  # the test is over
                return
            with line:
                for _ in range(answers_a_line):
                    if not line.recv(65_536):
                        break
                    # The generator has to notice the time itself: no event could stand in for it.
                    stall.wait(stall_seconds)
                    stall.set()
                    line.sendall(ANSWER)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield Target(listening.getsockname()[:2], wire.HttpFraming)
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()


def _one(name: str = "call") -> Journey:
    yield name, b"GET / HTTP/1.1\r\n\r\n"


def test_in_the_open_loop_everybody_behind_a_stall_waits_from_the_intended_moment() -> None:
    number = 10
    with (
        _server(stall_seconds=STALL_SECONDS) as target,
        Loop(target) as loop,
    ):
        outcome = loop.open(
            [_one() for _ in range(number)], rate=1000, seconds=number / 1000, connections=1
        )
    times = latencies(outcome, ["call"])
    assert outcome.count("call", 200) == number
    # The tenth was meant to begin 9 ms after the first, and could only be sent after the stall.
    assert min(times) > STALL_SECONDS - number / 1000


def test_a_journey_hears_each_answer_and_may_pause() -> None:
    heard = []

    def journey() -> Journey:
        heard.append((yield "first", b"GET / HTTP/1.1\r\n\r\n"))
        yield Pause(0.001)
        heard.append((yield "second", b"GET / HTTP/1.1\r\n\r\n"))

    with _server() as target, Loop(target) as loop:
        outcome = loop.closed([journey()])
    assert heard == [(200, b'{"a": 1}')] * 2
    assert outcome.codes() == {"first 200": 1, "second 200": 1}


def test_a_connection_that_is_closed_is_told_and_replaced() -> None:
    codes = []

    def journey() -> Journey:
        for _ in range(3):
            code, _ = yield "call", b"GET / HTTP/1.1\r\n\r\n"
            codes.append(code)

    with _server(answers_a_line=1) as target, Loop(target) as loop:
        outcome = loop.closed([journey()], limit_seconds=5)
    assert codes == [200, LOST, 200]
    assert outcome.codes() == {"call 0": 1, "call 200": 2}

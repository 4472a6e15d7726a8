"""The load generator: one thread, one epoll, preformatted bytes.

A *journey* is a generator that yields `(name, request)` and is sent `(code, body)`; it says what
comes next on its connection, or yields a `Pause`.

    closed loop     n connections, each sends its next request when the answer has come
    open loop       journeys begin at fixed moments, whether or not earlier ones have ended; the
                    first call's latency counts from the moment it was meant to be sent, so a
                    server that stalls cannot hide it by holding the generator up

It costs some 20 µs of CPU a call; each run says what it took, so that nobody has to believe that
it was not the limit.
"""

import heapq
import select
import socket
import time
from array import array
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, Self

RECEIVE_BYTES: Final = 262_144
LOST: Final = 0
"""The code of a call whose connection was closed before its answer had come."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A traveller thinks, for so many seconds."""

    seconds: float


Step = tuple[str, bytes] | Pause
Answer = tuple[Any, bytes]
Journey = Generator[Step, Answer, None]


class Framing(Protocol):
    """Finds the end of an answer. One object a connection."""

    def feed(self, chunk: bytes) -> Answer | None:
        """The code and body of an answer that is complete now, or None."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect (a host and port, or the path of a Unix socket), what to say first (and
    what has to come back), and how answers end.
    """

    address: tuple[str, int] | str
    framing: Callable[[], Framing]
    greeting: bytes = b""


@dataclass
class Outcome:
    """What a run gave. `samples`: latencies in seconds by (name, code)."""

    samples: dict[tuple[str, Any], "array[float]"] = field(default_factory=dict)
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    worst_lag_seconds: float = 0.0
    """Open loop: how late at worst the generator itself was to begin a journey."""

    def count(self, name: str, *codes: Any) -> int:
        return sum(
            len(times)
            for (each, code), times in self.samples.items()
            if each == name and (not codes or code in codes)
        )

    def codes(self) -> dict[str, int]:
        """`{"lock 201": 4012}`."""
        ordered = sorted(self.samples.items(), key=lambda item: (item[0][0], str(item[0][1])))
        return {f"{name} {code}": len(times) for (name, code), times in ordered}


class _Line:
    """One connection, and the journey whose answer comes next over it."""

    __slots__ = ("framing", "rider", "sock")

    def __init__(self, sock: socket.socket, framing: Framing) -> None:
        self.sock = sock
        self.framing = framing
        self.rider: _Rider | None = None


class _Rider:
    """A journey under way: what it asked last, when that counts from, and its line if any."""

    __slots__ = ("due", "journey", "line", "name", "request")

    def __init__(self, journey: Journey) -> None:
        self.journey = journey
        self.line: _Line | None = None
        self.name = ""
        self.request = b""
        self.due = 0.0


class Loop:
    """Lines to one target; they stay open from one run to the next.

    A journey keeps its line to its end; in a loop that is `shared` it gives it back with each
    answer, as behind a proxy, and waits for one when all are busy (which counts as latency).
    """

    def __init__(self, target: Target, *, shared: bool = False) -> None:
        self._target = target
        self._shared = shared
        self._poll = select.epoll()
        self._lines: dict[int, _Line] = {}
        self._free: deque[_Line] = deque()
        self._waiting: deque[_Rider] = deque()
        self._timers: list[tuple[float, int, _Rider]] = []
        self._counter = 0
        self._under_way = 0
        self._most_lines = 0
        self._outcome = Outcome()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for line in self._lines.values():
            line.sock.close()
        self._poll.close()

    def closed(
        self,
        journeys: Sequence[Journey],
        *,
        connections: int | None = None,
        limit_seconds: float = 120.0,
    ) -> Outcome:
        """Run journeys side by side until each has ended, a connection each unless told."""
        now = time.perf_counter()
        most_lines = connections or len(journeys)
        return self._run(((now, each) for each in journeys), most_lines, limit_seconds, now)

    def open(
        self,
        journeys: Iterable[Journey],
        *,
        rate: float,
        seconds: float,
        connections: int = 256,
        limit_seconds: float = 120.0,
    ) -> Outcome:
        """Begin `rate` journeys a second for so long, on at most that many connections."""
        started = time.perf_counter()
        number = int(rate * seconds)
        starts = zip((started + n / rate for n in range(number)), journeys, strict=False)
        return self._run(starts, connections, limit_seconds, started)

    def drain(self, journeys: Iterable[Journey], *, connections: int) -> Outcome:
        """Run journeys one after the other on so many connections, until there are no more."""
        riding = iter(journeys)

        def many() -> Journey:
            for journey in riding:
                yield from journey

        return self.closed([many() for _ in range(connections)])

    def _run(
        self,
        starts: Iterator[tuple[float, Journey]],
        most_lines: int,
        limit_seconds: float,
        started: float,
    ) -> Outcome:
        self._outcome = outcome = Outcome()
        self._most_lines = most_lines
        cpu_before = time.process_time()
        pending = next(starts, None)
        while pending or self._under_way:
            now = time.perf_counter()
            if now - started > limit_seconds:
                raise TimeoutError(f"journeys did not end within {limit_seconds} s")
            while pending and pending[0] <= now:
                outcome.worst_lag_seconds = max(outcome.worst_lag_seconds, now - pending[0])
                self._under_way += 1
                self._advance(_Rider(pending[1]), None, pending[0])
                pending = next(starts, None)
            while self._timers and self._timers[0][0] <= now:
                due, _, rider = heapq.heappop(self._timers)
                self._advance(rider, None, due)
            self._serve(self._patience(pending))
        outcome.seconds = time.perf_counter() - started
        outcome.cpu_seconds = time.process_time() - cpu_before
        return outcome

    def _patience(self, pending: tuple[float, Journey] | None) -> float:
        """Seconds until something is due by the clock."""
        nearest = [pending[0]] if pending else []
        nearest += [self._timers[0][0]] if self._timers else []
        return max(0.0, min(nearest) - time.perf_counter()) if nearest else 1.0

    def _connect(self) -> _Line:
        sock = _connected(self._target.address)
        if self._target.greeting:
            sock.sendall(self._target.greeting)
            answered = sock.recv(RECEIVE_BYTES)
            assert answered.startswith(b"+"), answered
        sock.setblocking(False)
        line = _Line(sock, self._target.framing())
        self._lines[sock.fileno()] = line
        self._poll.register(sock.fileno(), select.EPOLLIN)
        return line

    def _serve(self, patience_seconds: float) -> None:
        for fd, _ in self._poll.poll(patience_seconds):
            line = self._lines[fd]
            try:
                chunk = line.sock.recv(RECEIVE_BYTES)
            except BlockingIOError:
                continue
            except OSError:
                chunk = b""
            if not chunk:
                self._lost(line)
                continue
            answer = line.framing.feed(chunk)
            if answer is not None:
                assert line.rider is not None, "an answer nobody asked for"
                self._answered(line, line.rider, answer)

    def _answered(self, line: _Line, rider: _Rider, answer: Answer) -> None:
        now = time.perf_counter()
        self._note(rider, answer[0], now)
        if self._shared:
            self._leave(line, rider)
        self._advance(rider, answer, now)

    def _note(self, rider: _Rider, code: Any, now: float) -> None:
        try:
            times = self._outcome.samples[rider.name, code]
        except KeyError:
            times = self._outcome.samples[rider.name, code] = array("d")
        times.append(now - rider.due)

    def _advance(self, rider: _Rider, answer: Answer | None, due: float) -> None:
        """Let the journey say what comes next; `due` is when that counts from."""
        try:
            step = next(rider.journey) if answer is None else rider.journey.send(answer)
        except StopIteration:
            self._under_way -= 1
            if rider.line is not None:
                self._leave(rider.line, rider)
            return
        if isinstance(step, Pause):
            self._counter += 1
            heapq.heappush(self._timers, (due + step.seconds, self._counter, rider))
            return
        rider.name, rider.request = step
        rider.due = due
        self._board(rider)

    def _board(self, rider: _Rider) -> None:
        """Send what it asks over its own line, a free one, or a new one; else it has to wait."""
        line = rider.line
        if line is None and self._free:
            line = self._free.popleft()
        elif line is None and len(self._lines) < self._most_lines:
            line = self._connect()
        if line is None:
            self._waiting.append(rider)
            return
        line.rider, rider.line = rider, line
        try:
            sent = line.sock.send(rider.request)
            assert sent == len(rider.request), "a request larger than the socket's buffer"
        except (BrokenPipeError, ConnectionResetError):
            self._lost(line)

    def _leave(self, line: _Line, rider: _Rider) -> None:
        """The line is free: for who waits longest, if anybody does."""
        line.rider, rider.line = None, None
        self._free.append(line)
        if self._waiting:
            self._board(self._waiting.popleft())

    def _lost(self, line: _Line) -> None:
        """The server closed this connection: its journey goes on over another."""
        del self._lines[line.sock.fileno()]
        line.sock.close()
        rider = line.rider
        if rider is None:
            self._free.remove(line)
            return
        rider.line = None
        self._note(rider, LOST, time.perf_counter())
        self._advance(rider, (LOST, b""), time.perf_counter())


def _connected(address: tuple[str, int] | str) -> socket.socket:
    if isinstance(address, str):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(10)
        sock.connect(address)
    else:
        sock = socket.create_connection(address, timeout=10)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock

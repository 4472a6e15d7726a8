"""The way of the request log out of a web process: a bounded queue and one thread behind it.

    request threads          flusher (daemon thread)              Redis                shipper
      | put ----> queue ----------->|                               |                     |
      |                             | every 0.1 s: XADD MAXLEN ---->| stream `requests` ->| MongoDB

Promises: `put` never waits, never raises and costs some microseconds; a request is never failed
by its log. Relies on: nothing. Redis away: entries wait here up to QUEUE_CAPACITY, then new ones
are dropped and counted, and the count goes to Redis with the next entries that do. Never does:
keep entries across the death of its process (a clean exit flushes once).
"""

import itertools
import logging
import os
import secrets
import time
from collections import deque
from multiprocessing.util import Finalize
from threading import Event, Lock, Thread
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

import msgspec
from django.conf import settings
from redis.exceptions import RedisError

from config.stores import keys
from config.stores.lines import Command
from config.stores.redis import holds_store, served

logger = logging.getLogger(__name__)

QUEUE_CAPACITY: Final = 20_000
BATCH_SIZE: Final = 500
GATHER_SECONDS: Final = 0.1
RETRY_CAP_SECONDS: Final = 5.0
EXIT_PRIORITY: Final = 10

METHOD_CAP: Final = 16
QUERY_CAP: Final = 2_048
PARAMS_CAP: Final = 20
NAME_CAP: Final = 64
VALUE_CAP: Final = 128
WITHHELD: Final = "(withheld)"
_SECRET_NAMES: Final = ("pass", "token", "secret", "key", "auth", "access", "refresh", "capab",
                        "signature", "session", "jwt", "mail", "phone", "name", "passenger",
                        "birth")  # fmt: skip


class LoggedRequest(NamedTuple):
    """What is known of one answered request, as it was found; shaped later, off its path.

    `started_at` seconds since the epoch, `query` the raw query string, `noted` what the view
    added with `request_log.note`.
    """

    started_at: float
    duration_ms: float
    method: str
    endpoint: str
    query: str
    status: int
    user: int | None
    noted: dict[str, Any] | None


class RequestStream:
    """The queue and its flusher. One a process; a fork leaves the child an empty one."""

    def __init__(self, *, capacity: int = QUEUE_CAPACITY) -> None:
        self._capacity = capacity
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        self._queue: deque[tuple[int, LoggedRequest]] = deque()
        self._wake = Event()
        self._lock = Lock()
        self._flushing = Lock()
        self._thread: Thread | None = None
        self._dropped = 0
        self._name = secrets.token_hex(8)
        self._numbers = itertools.count(1)

    def put(self, entry: LoggedRequest) -> None:
        """Queue an entry, or count it as dropped when the queue is full."""
        if len(self._queue) >= self._capacity:
            with self._lock:
                self._dropped += 1
            return
        self._queue.append((next(self._numbers), entry))
        if not self._wake.is_set():
            self._wake.set()
        if self._thread is None:
            self._start()

    def flush(self) -> bool:
        """Send what is queued; False if Redis did not take it all (it stays queued)."""
        with self._flushing:
            while self._queue:
                batch = self._take()
                sent = False
                try:
                    self._send(batch)
                    sent = True
                except RedisError as failed:
                    logger.debug("request log waits: %s", failed)
                    return False
                finally:
                    if not sent:
                        self._queue.extendleft(reversed(batch))
        return True

    def _start(self) -> None:
        with self._lock:
            if self._thread is not None:
                return
            self._thread = Thread(target=self._run, name="request-log", daemon=True)
        # Not `atexit`, which a child of multiprocessing, as granian's workers are, never runs.
        Finalize(None, self.flush, exitpriority=EXIT_PRIORITY)
        self._thread.start()

    def _run(self) -> None:
        wait_seconds = GATHER_SECONDS
        while True:
            self._wake.wait()
            time.sleep(wait_seconds)  # what comes meanwhile goes in the same round trip
            self._wake.clear()
            if self._flush_safely():
                wait_seconds = GATHER_SECONDS
                continue
            if wait_seconds == GATHER_SECONDS:
                logger.warning("request log: Redis does not take entries, they wait")
            wait_seconds = min(wait_seconds * 2, RETRY_CAP_SECONDS)
            self._wake.set()

    def _flush_safely(self) -> bool:
        """The thread must outlive what nobody foresaw: without it the queue only fills."""
        try:
            return self.flush()
        except Exception:
            logger.exception("request log: unforeseen error")
            return False

    def _take(self) -> list[tuple[int, LoggedRequest]]:
        return [self._queue.popleft() for _ in range(min(BATCH_SIZE, len(self._queue)))]

    def _send(self, batch: list[tuple[int, LoggedRequest]]) -> None:
        """One round trip. Repeated after a lost answer, the ids are the same: one document."""
        dropped = self._dropped
        add = ("XADD", keys.REQUESTS, "MAXLEN", "~", settings.ENV.request_log_cap, "*", "d")
        commands: list[Command] = [
            (*add, encode(entry, identity=f"{self._name}-{number}")) for number, entry in batch
        ]
        if dropped:
            commands.append(("INCRBY", keys.REQUESTS_DROPPED, dropped))
        served(holds_store().ask(commands))
        if dropped:
            with self._lock:
                self._dropped -= dropped


def encode(entry: LoggedRequest, *, identity: str) -> bytes:
    """An entry as the JSON text that goes into the stream.

    What a view noted may be anything, also text that no encoding can carry: then it goes without.
    """
    try:
        return msgspec.json.encode(shape(entry, identity=identity))
    except (TypeError, ValueError):
        return msgspec.json.encode(shape(entry._replace(noted=None), identity=identity))


def shape(entry: LoggedRequest, *, identity: str) -> dict[str, Any]:
    """An entry as the JSON object that goes into the stream; `at` is ms since the epoch."""
    return {
        "id": identity,
        "at": int(entry.started_at * 1000),
        "method": entry.method[:METHOD_CAP],
        "endpoint": entry.endpoint,
        "params": clean_params(entry.query),
        "status": entry.status,
        "user": entry.user,
        "duration_ms": round(entry.duration_ms, 3),
        **({"noted": entry.noted} if entry.noted else {}),
    }


def clean_params(query: str) -> dict[str, str]:
    """Query parameters without secrets and personal data, bounded in number and size.

    A parameter given twice keeps its last value, the one Django reads.
    """
    if not query:
        return {}
    query = query.replace("%00", "")  # no document can have it in a name
    pairs = parse_qsl(query[:QUERY_CAP], keep_blank_values=True, errors="replace")
    return {name[:NAME_CAP]: _clean_value(name, value) for name, value in pairs[-PARAMS_CAP:]}


def _clean_value(name: str, value: str) -> str:
    lowered = name.lower()
    if any(secret in lowered for secret in _SECRET_NAMES):
        return WITHHELD
    if "@" in value or value.startswith("eyJ"):  # an address; a token under another name
        return WITHHELD
    return value[:VALUE_CAP]

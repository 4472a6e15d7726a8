"""The client of the holds' store: it waits once, so long, and not at all while that is known."""

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from threading import Thread
from typing import Any

import pytest
import redis
from django.conf import settings

from config.stores import redis as redis_client
from config.stores import timing, watch
from config.stores.breaker import Event, State
from config.stores.redis import AWAY, HoldsStoreAway, breaker_state, holds_store
from config.stores.timing import hurried
from reservations.holds.looks import look
from reservations.holds.store import departures_with_holds, read_images
from tests.stores import OwnStore, until_answered

SECONDS = 0.25


@pytest.fixture(autouse=True)
def as_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.ENV, "redis_timeout_seconds", SECONDS)


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A line for everything that is sent to the holds' store, and for each connection made."""
    found: list[str] = []
    send, connect = timing._TimedSocket.sendall, timing._Timed._connect

    def counted_send(self: Any, data: bytes) -> None:
        found.append(repr(data))
        send(self, data)

    def counted_connect(self: Any) -> Any:
        found.append("connect")
        return connect(self)

    monkeypatch.setattr(timing._TimedSocket, "sendall", counted_send)
    monkeypatch.setattr(timing._Timed, "_connect", counted_connect)
    return found


def sent(attempts: list[str]) -> list[str]:
    """What was sent: the question, or where a connection is new, the password before it."""
    return [line for line in attempts if line != "connect"]


def ask(*command: Any) -> float:
    """One call of a request of its own that must fail; the seconds it took."""
    started = time.monotonic()
    with hurried(), pytest.raises(AWAY):
        holds_store().execute_command(*(command or ("PING",)))
    return time.monotonic() - started


def open_it(own: OwnStore) -> None:
    own.stop()
    for _ in range(settings.ENV.redis_breaker_failures):
        ask()
    assert breaker_state() is not State.CLOSED


def test_a_frozen_server_costs_one_time_out_and_then_nothing(
    own_holds: OwnStore, attempts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings.ENV, "redis_breaker_seconds", 2.0)  # no trial while we count
    holds_store.cache_clear()
    holds_store().ping()
    own_holds.freeze()
    attempts.clear()
    for _ in range(3):
        assert 0.2 < ask() < 1.0
    assert len(sent(attempts)) == 3  # one each, none twice
    attempts.clear()
    for _ in range(200):
        ask()
    assert not attempts
    own_holds.thaw()
    until_answered(holds_store().ping, seconds=10)
    assert breaker_state() is State.CLOSED


def test_without_the_breaker_each_call_waits(
    own_holds: OwnStore, attempts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings.ENV, "redis_breaker_failures", 1000)
    redis_client.holds_store.cache_clear()
    holds_store().ping()
    own_holds.freeze()
    attempts.clear()
    assert min(ask() for _ in range(5)) > 0.2
    assert len(sent(attempts)) == 5


def test_threads_wait_for_a_frozen_server_side_by_side_not_in_line(own_holds: OwnStore) -> None:
    """Eight who ask at once: a lock around the call would make the last wait eight times."""
    holds_store().ping()
    own_holds.freeze()
    with ThreadPoolExecutor(8) as pool:
        waited = list(pool.map(lambda _: ask(), range(8)))
    assert max(waited) < 1.0
    assert breaker_state() is not State.CLOSED


def test_a_request_waits_once_however_often_it_asks(
    own_holds: OwnStore, attempts: list[str]
) -> None:
    holds_store().ping()
    own_holds.freeze()
    attempts.clear()
    started = time.monotonic()
    with hurried():
        for _ in range(20):
            with pytest.raises(AWAY):
                holds_store().ping()
    assert time.monotonic() - started < 1.0
    assert len(attempts) == 1
    assert breaker_state() is State.CLOSED  # one failure is no reason for others


def test_every_way_to_ask_ends_in_time_and_passes_the_breaker(own_holds: OwnStore) -> None:
    """Commands, pipelines, scripts, a thread's own line, transactions with their WATCH, locks."""
    store: Any = holds_store()
    store.ping()
    script = store.register_script("return 1")
    ways: dict[str, Callable[[], object]] = {
        "command": lambda: store.get("k"),
        "pipeline": lambda: store.pipeline(transaction=False).get("k").execute(),
        "multi": lambda: store.pipeline().get("k").execute(),
        "script": script,
        "own line": lambda: store.ask([("GET", "k"), ("GET", "k")]),
        "scripts": lambda: script(client=(pipe := store.pipeline())) and pipe.execute(),
        "watch": lambda: store.transaction(lambda pipe: pipe.multi(), "k"),
        "lock": lambda: store.lock("l", timeout=1, blocking=False).acquire(),
    }
    own_holds.freeze()
    for name, way in ways.items():
        started = time.monotonic()
        with hurried(), pytest.raises(AWAY):
            way()
        assert time.monotonic() - started < 1.0, name
    assert breaker_state() is not State.CLOSED
    own_holds.thaw()
    until_answered(store.ping)
    for name, way in ways.items():
        with hurried():
            way()
        assert breaker_state() is State.CLOSED, name


def test_it_opens_and_closes_by_itself_and_says_so_once(
    own_holds: OwnStore, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, Event]] = []
    monkeypatch.setattr(watch, "WATCHERS", [lambda store, event: told.append((store, event))])
    open_it(own_holds)
    time_open = settings.ENV.redis_breaker_seconds
    deadline = time.monotonic() + time_open + 1.5
    while time.monotonic() < deadline:  # long enough for a trial that fails
        ask()
        time.sleep(0.01)
    own_holds.start()
    until_answered(holds_store().ping, seconds=10)
    said = [line.message for line in caplog.records if line.name == redis_client.__name__]
    assert len(said) == 2, said
    assert "left alone" in said[0]
    assert "answers again" in said[1]
    assert told[0] == ("redis", Event.OPENED)
    assert told[-1] == ("redis", Event.CLOSED)
    assert set(told[1:-1]) == {("redis", Event.REFUSED)}


def test_a_connection_that_died_in_the_pool_is_not_noticed(
    own_holds: OwnStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings.ENV, "redis_timeout_seconds", 2.0)
    holds_store().ping()
    own_holds.stop()
    own_holds.start()
    with hurried():
        assert holds_store().ping()
    assert breaker_state() is State.CLOSED


def test_the_trial_is_short_also_for_whoever_has_patience(
    own_holds: OwnStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings.ENV, "redis_patience_seconds", 30.0)
    open_it(own_holds)
    own_holds.start()
    own_holds.freeze()
    seconds = settings.ENV.redis_breaker_seconds
    deadline = time.monotonic() + seconds + 5
    while breaker_state() is State.OPEN:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    started = time.monotonic()
    with pytest.raises(redis.TimeoutError):
        holds_store().info()
    assert time.monotonic() - started < 2.0


def test_long_work_in_the_background_is_no_sign_that_the_store_is_away(
    own_holds: OwnStore,
) -> None:
    slow = "local from = os.clock() repeat until os.clock() - from > 0.3 return 'done'"
    assert own_holds.url
    assert holds_store().eval(slow, 0) == b"done"
    with hurried(), pytest.raises(redis.TimeoutError):
        holds_store().eval(slow, 0)
    with hurried(), timing.patiently():
        assert holds_store().eval(slow, 0) == b"done"
    assert breaker_state() is State.CLOSED


@contextmanager
def dribbling_server() -> Iterator[int]:
    """A server that answers a byte every 50 ms, for ever; its port."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def serve() -> None:
            with suppress(OSError):
                peer, _ = listener.accept()
                with peer:
                    peer.recv(1024)
                    peer.sendall(b"$1000\r\n")
                    while True:
                        peer.sendall(b"x")
                        time.sleep(0.05)

        Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]


def test_an_answer_in_pieces_may_not_take_longer_than_one_in_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with dribbling_server() as port:
        monkeypatch.setattr(settings.ENV, "redis_url", f"redis://127.0.0.1:{port}/0")
        holds_store.cache_clear()
        assert ask("GET", "k") < 1.0
    with dribbling_server() as port:  # the library's own time-out begins anew with each piece
        plain = redis.Redis(port=port, socket_timeout=SECONDS, driver_info=None, protocol=2)
        started = time.monotonic()
        answer: list[Exception] = []

        def get() -> None:
            try:
                plain.get("k")
            except redis.RedisError as error:
                answer.append(error)

        thread = Thread(target=get, daemon=True)
        thread.start()
        thread.join(1.0)
        assert thread.is_alive()
        assert time.monotonic() - started >= 1.0
    monkeypatch.undo()
    holds_store.cache_clear()


def test_a_server_that_cannot_serve_is_away_for_the_caller_but_is_asked_again(
    own_holds: OwnStore, attempts: list[str]
) -> None:
    """READONLY, as a primary says that was made a replica; and it is reconnected to at once."""
    store = holds_store()
    store.set("k", "v")
    store.execute_command("REPLICAOF", "127.0.0.1", "1")
    for _ in range(5):
        with pytest.raises(HoldsStoreAway, match="read only"):
            store.set("k", "w")
    with pytest.raises(HoldsStoreAway, match="read only"):
        store.eval("return redis.call('SET', KEYS[1], 1)", 1, "k")
    assert breaker_state() is State.CLOSED
    store.execute_command("REPLICAOF", "NO", "ONE")
    assert store.set("k", "w")
    assert own_holds.url


@pytest.mark.parametrize(
    "ask",
    [lambda: read_images([1, 2]), departures_with_holds, lambda: look([1, 2], [b"", b""])],
    ids=["scripts", "indexes", "looks"],
)
def test_a_server_that_cannot_serve_is_away_for_who_asks_much_at_once_too(
    own_holds: OwnStore, ask: Callable[[], object]
) -> None:
    """As a replica says that lost its primary, to each question of a round trip."""
    store = holds_store()
    store.config_set("replica-serve-stale-data", "no")
    store.execute_command("REPLICAOF", "127.0.0.1", "1")
    with pytest.raises(HoldsStoreAway, match=r"MASTER is down|read only"):
        ask()
    assert own_holds.url


def test_a_busy_server_is_away_for_the_caller(own_holds: OwnStore) -> None:
    store = holds_store()
    store.config_set("busy-reply-threshold", 10)

    def run_for_ever() -> None:
        with suppress(redis.RedisError):
            store.eval("while true do end", 0)

    endless = Thread(target=run_for_ever)
    endless.start()
    try:
        deadline = time.monotonic() + 10
        busy = False
        while not busy and time.monotonic() < deadline:
            try:
                store.get("k")
            except HoldsStoreAway as away:
                busy = "BUSY" in str(away)
        assert busy
        assert breaker_state() is State.CLOSED
    finally:
        redis.Redis.from_url(own_holds.url).script_kill()
        endless.join()


@pytest.mark.parametrize(
    ("answer", "is_away"),
    [
        ("LOADING Redis is loading the dataset in memory", True),
        ("MASTERDOWN Link with MASTER is down", True),
        ("READONLY You can't write against a read only replica.", True),
        ("MISCONF Errors writing to the AOF file: No space left on device", True),
        ("CLUSTERDOWN The cluster is down", True),
        ("NOREPLICAS Not enough good replicas to write.", True),
        ("BUSY Redis is busy running a script.", True),
        ("OOM command not allowed when used memory > 'maxmemory'.", False),
        ("NOSCRIPT No matching script.", False),
        ("WRONGTYPE Operation against a key holding the wrong kind of value", False),
        ("ERR a BUSY word in the middle", False),
    ],
)
def test_what_an_answer_means(answer: str, is_away: bool) -> None:
    from redis._parsers.base import BaseParser

    error = BaseParser.parse_error(answer)  # type: ignore[no-untyped-call]
    assert redis_client.cannot_serve(error) is is_away


def test_scripts_forgotten_and_memory_full_are_no_reason_to_leave_it_alone(
    own_holds: OwnStore,
) -> None:
    store = holds_store()
    assert own_holds.url
    store.config_set("maxmemory", "1")
    for _ in range(5):
        with pytest.raises(redis.exceptions.OutOfMemoryError):
            store.set("k", "v")
        with pytest.raises(redis.exceptions.NoScriptError):
            store.evalsha("0" * 40, 0)
    assert breaker_state() is State.CLOSED

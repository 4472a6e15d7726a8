"""The whole of Seatlock on stores of its own: each process can be killed, frozen and restarted.

`make run` ends when one of its servers dies, which is right for a person at a terminal. Here a
dead process is started again, as the init system of a machine would do it.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from config.embedded.commands import CHECKOUT, command
from config.embedded.fleet import free_ports, make_fleet
from config.embedded.places import Places
from config.embedded.processes import ProcessSpec, log_tail, spawn
from config.embedded.stores.base import Store

START_SECONDS = 60.0
POLL_SECONDS = 0.02

SETTINGS = {
    "HOLD_TTL_SECONDS": "3",
    "HOLD_MAX_TOTAL_SECONDS": "8",
    "PIN_SECONDS": "4",
    "HOLD_MAX_PER_USER": "20",
    "RECONCILE_EVERY_SECONDS": "5",
    "SWEEP_EVERY_SECONDS": "1",
    "ACCESS_TOKEN_SECONDS": "7200",
    "THROTTLES": "off",
    "SALE_WINDOW_DAYS": "100",  # each fault has departures of its own, 66 in the long form
    "WEB_WORKERS": "2",
    "LOG_LEVEL": "INFO",
    "TIME_ZONE": "UTC",  # of the log as well, which is read for confirms that went past Redis
}


class Server:
    """One long-running process with its descendants. `prepare` runs before each start."""

    def __init__(
        self,
        name: str,
        spec: Callable[[], ProcessSpec],
        *,
        is_ready: Callable[[], bool],
        prepare: Callable[[], None] = lambda: None,
        folder: Path | None = None,
    ) -> None:
        self.name = name
        self.is_ready = is_ready
        self._spec = spec
        self._prepare = prepare
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} is down"
        return self._process.pid

    def tree(self) -> list[psutil.Process]:
        """The process and its descendants, itself first; none that has ended."""
        if self._process is None or self._process.poll() is not None:
            return []
        found = psutil.Process(self.pid)
        with suppress(psutil.NoSuchProcess):
            return [each for each in (found, *found.children(recursive=True)) if lives(each)]
        return []

    def start(self) -> None:
        """Start it; the call does not wait until it is ready."""
        assert not self.tree(), f"{self.name} is up"
        self._prepare()
        self._process = spawn(self._spec())

    def stop(self) -> None:
        """An orderly end, as an operator would make it."""
        assert self._process is not None
        self._process.send_signal(self._spec().stop_signal)
        self._process.wait(START_SECONDS)

    def kill(self) -> None:
        """SIGKILL to the whole tree; what was not on disk is gone."""
        for process in self.tree():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        assert self._process is not None
        self._process.wait(START_SECONDS)

    def forget(self) -> None:
        """Delete what it kept; it must be down."""
        assert not self.tree()
        assert self._folder is not None, f"{self.name} keeps nothing"
        shutil.rmtree(self._folder)

    def await_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready():
            up = self.tree() and time.monotonic() < deadline
            assert up, f"{self.name} did not come up\n{log_tail(self._spec().log)}"
            time.sleep(POLL_SECONDS)

    def end(self) -> None:
        """Whatever state it is in: afterwards it is gone."""
        for process in self.tree():
            with suppress(psutil.NoSuchProcess):
                process.resume()
        if self.tree():
            self.stop()


@dataclass(frozen=True, kw_only=True)
class Plant:
    """All servers by name, in the order they are started in, and where they are."""

    servers: Mapping[str, Server]
    environment: Mapping[str, str]
    places: Places

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.environment['PORT']}"

    def start(self) -> None:
        """Stores, migrations and demo data, then web, worker and beat."""
        stores = [self.servers[name] for name in STORES]
        for server in stores:
            server.start()
        for server in stores:
            server.await_ready()
        for step in ("migrate", "seed-demo"):
            self.manage(*command(step, {})[2:])
        for name in ("web", "worker", "beat"):
            self.servers[name].start()
            self.servers[name].await_ready()

    def manage(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """A management command beside the running whole."""
        argv: Sequence[str] = (*command("migrate", {})[:2], *arguments)
        done = subprocess.run(
            argv, cwd=CHECKOUT, env=dict(self.environment), capture_output=True, text=True,
            check=False, timeout=300,
        )  # fmt: skip
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def end(self) -> None:
        for server in reversed(list(self.servers.values())):
            server.end()
        for process in psutil.Process().children(recursive=True):  # orphans of what was killed
            with suppress(psutil.NoSuchProcess):
                process.kill()


STORES = ("mongo", "redis", "broker", "postgres")
_STORE_NAMES = {"valkey-holds": "redis", "valkey-broker": "broker"}


def make_plant(places: Places) -> Plant:
    """A plant on free ports with its data in `places`; nothing is started yet."""
    ports = free_ports()
    fleet = make_fleet(places, ports)
    environment = {
        **os.environ,
        **fleet.environment,
        "SEATLOCK_EMBEDDED": "1",
        "PORT": str(ports.ports["PORT"]),
        "PYTHONUNBUFFERED": "1",
        **SETTINGS,
    }
    servers = {}
    for store in fleet.stores:
        name = _STORE_NAMES.get(store.name, store.name)
        servers[name] = _store(name, store)
    url = f"http://127.0.0.1:{environment['PORT']}"
    for name in ("web", "worker", "beat"):
        servers[name] = _program(name, environment, places, url)
    return Plant(servers=servers, environment=environment, places=places)


def _store(name: str, store: Store) -> Server:
    return Server(
        name,
        store.spec,
        is_ready=store.is_ready,
        prepare=lambda: store.prepare(_run),
        folder=store.places.data / store.name,
    )


def _program(name: str, environment: Mapping[str, str], places: Places, url: str) -> Server:
    argv = command(name, environment)
    if name == "beat":
        argv = (*argv, "--schedule", str(places.data / "beat-schedule"))
    spec = ProcessSpec(
        name=name, argv=argv, cwd=CHECKOUT, environment=environment, log=places.logs / f"{name}.log"
    )
    return Server(name, lambda: spec, is_ready=(lambda: _answers(url)) if name == "web" else _yes)


def _answers(url: str) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"{url}/health/live/", timeout=2).status_code == 200
    return False


def _yes() -> bool:
    return True


def _run(spec: ProcessSpec) -> None:
    assert spawn(spec).wait(START_SECONDS) == 0, log_tail(spec.log)


def lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False

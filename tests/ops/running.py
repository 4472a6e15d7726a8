"""Starting and watching a command that keeps servers."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
from dotenv import dotenv_values

from config.embedded.fleet import free_ports
from config.embedded.places import CHECKOUT
from config.embedded.settings import GIVEN_NAMES, PORT_DEFAULTS

DEADLINE_SECONDS = 120.0


def eventually(
    condition: Callable[[], bool], *, what: str, within_seconds: float = DEADLINE_SECONDS
) -> None:
    """Poll until true, or fail."""
    deadline = time.monotonic() + within_seconds
    while not condition():
        assert time.monotonic() < deadline, f"never came true: {what}"
        time.sleep(0.1)


def bare_environment() -> dict[str, str]:
    """Ours without what names the stores this test run itself uses."""
    hidden = {*GIVEN_NAMES, *PORT_DEFAULTS, "SEATLOCK_EMBEDDED"}
    return {name: value for name, value in os.environ.items() if name not in hidden}


def starting_only(*settings: str) -> dict[str, str]:
    """The environment in which only the stores of these settings are started: it is quicker."""
    names = set(GIVEN_NAMES) - {"SECRET_KEY", *settings}
    return dict.fromkeys(names, "redis://not.started.example")


class Keeper:
    """A command under test that keeps servers, with its messages and its descendants."""

    def __init__(
        self, argv: Sequence[str], *, messages: Path, environment: dict[str, str] | None = None
    ) -> None:
        self._messages = messages
        with messages.open("wb") as file:
            self.process = subprocess.Popen(
                argv,
                cwd=CHECKOUT,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=bare_environment() | (environment or {}),
            )

    @property
    def messages(self) -> str:
        return self._messages.read_text()

    def wait_for(self, text: str, *, within_seconds: float = DEADLINE_SECONDS) -> None:
        """Wait until it has said `text`; fail at once if it ends before."""
        eventually(
            lambda: text in self.messages or self.process.poll() is not None,
            what=f"said {text!r}",
            within_seconds=within_seconds,
        )
        assert text in self.messages, self.messages

    def descendants(self, *names: str) -> list[psutil.Process]:
        """All that descend from it, or those with one of these names."""
        found = psutil.Process(self.process.pid).children(recursive=True)
        return [process for process in found if name_of(process) in names] if names else found

    @property
    def guard(self) -> psutil.Process:
        (guard,) = psutil.Process(self.process.pid).children()
        return guard

    def end(self) -> int:
        """Wait for its end."""
        return self.process.wait(DEADLINE_SECONDS)


def stand_in(
    data: Path,
    *,
    ports: dict[str, int] | None = None,
    set_up: str = "",
    real: bool = False,
    environment: dict[str, str] | None = None,
) -> Keeper:
    """`run` with stand-ins or with the real thing (see `stand_in`), with data in `data`."""
    chosen = ports or dict(free_ports().ports)
    in_order = [str(chosen[name]) for name in PORT_DEFAULTS]
    more = ["--set-up", set_up] if set_up else []
    more += ["--real"] if real else []
    return Keeper(
        [sys.executable, "-m", "tests.ops.stand_in", str(data), *in_order, *more],
        messages=data.with_name(data.name + ".messages"),
        environment=environment,
    )


def live_urls(data: Path) -> dict[str, str]:
    return {name: value or "" for name, value in dotenv_values(data / "live.env").items()}


def name_of(process: psutil.Process) -> str:
    """Its name, or nothing when it has just ended, as helpers of servers do at any moment."""
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return ""


def user_of(process: psutil.Process) -> str:
    """Whose it is, or nothing when it has just ended."""
    try:
        return process.username()
    except psutil.NoSuchProcess:
        return ""


def all_gone(processes: list[psutil.Process]) -> bool:
    """Whether none of them runs. `is_running` knows a reused process id from the old process."""
    return not [process for process in processes if _lives(process)]


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False

"""Where everything lies: the checkout, its `.data/` folder, the binaries inside the wheels.

.data/
secrets.json     passwords of the embedded stores, made once (0600)
live.env         URLs of the stores that run now; gone when they do (0600)
run.lock         locked while somebody uses this folder
logs/            one file for each process, the one before as .1
postgres/ valkey-holds/ valkey-broker/ mongo/
test-<random>/   the same again, for one `with` command
"""

import fcntl
import importlib.util
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.embedded.errors import AlreadyRunning, MachineUnfit

CHECKOUT = Path(__file__).resolve().parents[2]
SECRET_NAMES = ("postgres", "redis", "mongo", "mongo_keyfile", "django")


@dataclass(frozen=True, kw_only=True)
class Places:
    """One data folder. Folders are made on first use and never made wider than they are."""

    data: Path

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def live_file(self) -> Path:
        return self.data / "live.env"

    @property
    def outside(self) -> Path | None:
        """The folder elsewhere that belongs to this one, if there is one (see `account`)."""
        pointer = self.data / "outside"
        return Path(pointer.read_text().strip()) if pointer.exists() else None

    def record_outside(self, home: Path) -> None:
        (self.data / "outside").write_text(f"{home}\n")

    def make(self) -> None:
        make_data_folder(self.data)
        make_folder(self.logs, 0o700)

    def secrets(self) -> dict[str, str]:
        """Passwords by store, the same ones at every start."""
        path = self.data / "secrets.json"
        known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        missing = [name for name in SECRET_NAMES if name not in known]
        if missing:
            known |= {name: secrets.token_hex(32) for name in missing}
            write_private(path, json.dumps(known, indent=2) + "\n")
        return known

    @contextmanager
    def owned(self) -> Iterator[None]:
        """Hold the folder for this process alone. The lock dies with the process.

        Raises:
            AlreadyRunning: another process holds it; its id is in the message.

        """
        path = self.data / "run.lock"
        with path.open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                owner = path.read_text().strip() or "unknown"
                raise AlreadyRunning(
                    f"the stores under {self.data} already run (process {owner}): "
                    "use them, or stop that process first"
                ) from None
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
            yield


def home_places() -> Places:
    """The data folder of `run` and `stores`: it stays."""
    return Places(data=CHECKOUT / ".data")


@contextmanager
def passing_places(*, prefix: str, parent: Path | None = None) -> Iterator[Places]:
    """A new data folder, deleted at the end; folders that a killed process left go first."""
    parent = parent or CHECKOUT / ".data"
    make_data_folder(parent)
    with (parent / "sweep.lock").open("a") as sweep_lock:
        fcntl.flock(sweep_lock, fcntl.LOCK_EX)
        _delete_abandoned(parent, prefix)
        places = Places(data=parent / f"{prefix}-{secrets.token_hex(4)}")
        places.make()
        owned = places.owned()
        owned.__enter__()
    try:
        yield places
    finally:
        delete_data(places.data)
        owned.__exit__(None, None, None)


def _delete_abandoned(parent: Path, prefix: str) -> None:
    for folder in parent.glob(f"{prefix}-*"):
        try:
            with Places(data=folder).owned():
                delete_data(folder)
        except (AlreadyRunning, OSError):
            continue


def delete_home() -> None:
    """Delete the data folder of `run`, wherever its parts lie. Raises `AlreadyRunning`."""
    places = home_places()
    if places.data.is_dir():
        with places.owned():
            delete_data(places.data)


def delete_data(folder: Path) -> None:
    """Delete a data folder and what lies elsewhere for it."""
    outside = Places(data=folder).outside
    if outside is not None:
        shutil.rmtree(outside, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def make_data_folder(path: Path) -> None:
    # 0711: as root, PostgreSQL's unprivileged account passes through to its own folder.
    make_folder(path, 0o711 if os.geteuid() == 0 else 0o700)


def make_folder(path: Path, mode: int) -> None:
    """Make the folder if it is missing. One that exists keeps its mode."""
    if not path.is_dir():
        path.mkdir(parents=True)
        path.chmod(mode)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, complete or not at all."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    fresh.replace(path)


def wheel_file(package: str, inside: str) -> Path:
    """A file inside an installed wheel.

    Raises:
        MachineUnfit: the wheel is not installed, or has no such file for this machine.

    """
    spec = importlib.util.find_spec(package)
    folders = list(spec.submodule_search_locations or []) if spec else []
    for folder in folders:
        path = Path(folder) / inside
        if path.exists():
            return path
    raise MachineUnfit(
        f"{package}/{inside} is not installed: run `make install` "
        "(the wheels carry servers for Linux x86-64 with glibc only)"
    )

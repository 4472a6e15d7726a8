"""A mongod of a test's own, to be frozen, killed and started again."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pymongo
from pymongo.errors import PyMongoError

from config.embedded.places import wheel_file

START_SECONDS = 60.0


class Mongod:
    """A process on a port and a folder that stay the same through its deaths."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self.url = f"mongodb://127.0.0.1:{self._port}/?directConnection=true"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [
                wheel_file("fiftyone", "db/bin/mongod"),
                *("--dbpath", str(self._folder), "--port", str(self._port)),
                *("--bind_ip", "127.0.0.1", "--nounixsocket", "--quiet"),
                *("--wiredTigerCacheSizeGB", "0.25"),
            ],
            stdout=subprocess.DEVNULL,
            process_group=0,
        )
        deadline = time.monotonic() + START_SECONDS
        with pymongo.MongoClient[dict[str, object]](
            self.url, serverSelectionTimeoutMS=200
        ) as client:
            while True:
                try:
                    client.admin.command("ping")
                except PyMongoError:
                    assert self._process.poll() is None, "mongod has ended"
                    assert time.monotonic() < deadline, "mongod does not answer"
                else:
                    return

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone. Also a frozen one, or one that is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _signal(self, number: int) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

"""The broker is killed while the worker has messages it has not acknowledged."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from celery import Celery
from kombu.exceptions import OperationalError

from config.embedded.places import CHECKOUT
from tests.ops.running import eventually
from tests.stores import OwnStore, own_store

Start = Callable[..., subprocess.Popen[bytes]]
LOST = "Connection to broker lost"


class Work:
    """A worker at a broker of its own; it takes four tasks in advance and does one at a time."""

    def __init__(self, broker: OwnStore, folder: Path, *, transport: str = "") -> None:
        self.broker = broker
        self._done, self._log = folder / "done", folder / "worker.log"
        self._done.touch()
        self._sender = Celery("sender", broker=broker.url)
        argv = [sys.executable, "-m", "celery", "-A", "tests.ops.slow_work", "worker"]
        argv += ["--concurrency", "1", "--without-gossip", "--without-mingle"]
        environment = os.environ | {"BROKER_URL": broker.url, "TEST_TRANSPORT": transport}
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                argv, cwd=CHECKOUT, env=environment, stdout=log, stderr=subprocess.STDOUT
            )

    @property
    def done(self) -> list[str]:
        return self._done.read_text().split()

    def send(self, word: str, *, seconds: float = 0.0) -> None:
        arguments = (word, str(self._done), seconds)
        self._sender.send_task("tests.write_down", arguments, retry=False)

    def lose_the_broker(self) -> None:
        """Kill it in the middle of work; it is away when this returns, and the worker knows.

        Three tasks are fewer than it takes, so it is asking for more at that moment.
        """
        for number in range(3):
            self.send(f"before-{number}", seconds=0.3)
        eventually(lambda: "before-0" in self.done, what="the worker works")
        self.broker.kill()
        eventually(lambda: LOST in self._log.read_text(), what="the worker knows")

    def close(self) -> None:
        with suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        self._sender.close()


@pytest.fixture
def broker() -> Iterator[OwnStore]:
    with own_store("BROKER_URL") as store:
        yield store


@pytest.fixture
def work(broker: OwnStore, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Work]:
    working = Work(broker, tmp_path, transport=getattr(request, "param", ""))
    yield working
    working.close()


def test_a_worker_outlives_its_broker(work: Work) -> None:
    work.lose_the_broker()
    work.broker.start()
    with suppress(OperationalError):  # the sender's old connection
        work.send("after")
    work.send("after")
    eventually(lambda: "after" in work.done, what="the worker works again")
    assert work.process.poll() is None


@pytest.mark.parametrize("work", ["kombu.transport.redis:Transport"], indirect=True)
def test_with_kombus_own_transport_it_would_end(work: Work) -> None:
    """If this fails one day, Kombu was mended, and ours can go."""
    work.lose_the_broker()
    eventually(lambda: work.process.poll() is not None, what="the worker ended")

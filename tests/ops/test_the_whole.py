"""Real web, worker and beat on fresh stores: they come up in time, and all go when told to."""

import time
import urllib.request
from pathlib import Path

import psutil

from config.embedded.fleet import free_ports
from tests.ops.running import Keeper, all_gone, eventually, stand_in

COLD_START_SECONDS = 100.0  # of two minutes: the rest is for the installation
WARM_START_SECONDS = 15.0


def up(data: Path, ports: dict[str, int], keepers: list[Keeper]) -> tuple[Keeper, float]:
    """The running product and the seconds to its first answer."""
    started = time.monotonic()
    keeper = stand_in(data, ports=ports, real=True)
    keepers.append(keeper)
    keeper.wait_for("is up after")
    return keeper, time.monotonic() - started


def test_two_starts_serve_in_time_and_leave_no_process(data: Path, keepers: list[Keeper]) -> None:
    ports = dict(free_ports().ports)
    first, cold_seconds = up(data, ports, keepers)
    assert cold_seconds < COLD_START_SECONDS
    for path in ("/api/docs/", "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui.css"):
        with urllib.request.urlopen(f"http://127.0.0.1:{ports['PORT']}{path}") as answer:
            assert answer.status == 200
    assert "DEMO ACCOUNTS" in first.messages

    def pool_is_there() -> bool:
        return len([p for p in first.descendants() if p.name() == "celery"]) >= 4

    eventually(pool_is_there, what="beat, worker and its two children")
    eventually(lambda: answers(ports["LIVE_PORT"]), what="live sockets")
    descendants = first.descendants()
    assert len([p for p in descendants if p.name() == "granian"]) == 3
    first.process.kill()
    eventually(lambda: all_gone(descendants), what="all gone after SIGKILL of the parent")

    second, warm_seconds = up(data, ports, keepers)
    if warm_seconds > WARM_START_SECONDS:  # others may be at work on this machine: once more
        second.process.terminate()
        assert second.end() == 0
        second, warm_seconds = up(data, ports, keepers)
    assert warm_seconds < WARM_START_SECONDS
    descendants = second.descendants()
    (web,) = [p for p in descendants if is_granians_main(p)]
    web.kill()  # its workers are orphans now
    assert second.end() == 1
    assert "web was ended by SIGKILL" in second.messages
    assert all_gone(descendants)


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live/") as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def is_granians_main(process: psutil.Process) -> bool:
    parent = process.parent()
    return process.name() == "granian" and parent is not None and parent.name() != "granian"

"""Real web, worker and beat on fresh stores: they come up in time, and all go when told to."""

import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil

from config.embedded.fleet import free_ports
from tests.ops.running import Keeper, all_gone, eventually, name_of, stand_in

COLD_START_SECONDS = 100.0  # of two minutes: the rest is for the installation


def up(data: Path, ports: dict[str, int], keepers: list[Keeper]) -> tuple[Keeper, float]:
    """The running product and the seconds to its first answer."""
    started = time.monotonic()
    keeper = stand_in(data, ports=ports, real=True)
    keepers.append(keeper)
    keeper.wait_for("is up after", within_seconds=COLD_START_SECONDS)
    return keeper, time.monotonic() - started


def test_two_starts_serve_in_time_and_leave_no_process(
    data: Path, keepers: list[Keeper], record_property: Callable[[str, object], None]
) -> None:
    ports = dict(free_ports().ports)
    first, cold_seconds = up(data, ports, keepers)
    for path in ("/api/docs/", "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui.css"):
        with urllib.request.urlopen(f"http://127.0.0.1:{ports['PORT']}{path}") as answer:
            assert answer.status == 200
    assert "DEMO ACCOUNTS" in first.messages

    def pool_is_there() -> bool:
        return len(first.descendants("celery")) >= 4

    eventually(pool_is_there, what="beat, worker and its two children")
    eventually(lambda: answers(ports["LIVE_PORT"]), what="live sockets")
    assert len(first.descendants("granian")) == 3
    descendants = first.descendants()
    first.process.kill()
    eventually(lambda: all_gone(descendants), what="all gone after SIGKILL of the parent")

    second, warm_seconds = up(data, ports, keepers)
    record_property("cold_start_seconds", cold_seconds)
    record_property("warm_start_seconds", warm_seconds)
    descendants = second.descendants()
    (web,) = [process for process in second.descendants("granian") if is_main(process)]
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


def is_main(process: psutil.Process) -> bool:
    parent = process.parent()
    return parent is not None and name_of(parent) != "granian"

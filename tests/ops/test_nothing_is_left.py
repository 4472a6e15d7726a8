"""However the command ends, no process outlives it, and PostgreSQL is shut down, not killed."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.ops.running import Keeper, all_gone, eventually, name_of, stand_in, starting_only

UP = "is up after"


def started(data: Path, keepers: list[Keeper]) -> tuple[Keeper, list[psutil.Process]]:
    """A running stand-in and all that descend from it, grandchildren included."""
    keeper = stand_in(data)
    keepers.append(keeper)
    keeper.wait_for(UP)
    descendants = keeper.descendants()
    names = " ".join(name_of(process) for process in descendants)
    for server in ("postgres", "valkey-server", "mongod"):
        assert server in names
    assert len(descendants) > 12  # guard, 4 servers, PostgreSQL's own, web and its 3, worker
    return keeper, descendants


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_signal_ends_everything_and_is_no_error(
    by: signal.Signals, data: Path, keepers: list[Keeper]
) -> None:
    keeper, descendants = started(data, keepers)

    keeper.process.send_signal(by)

    assert keeper.end() == 0
    assert all_gone(descendants)
    assert not (data / "live.env").exists()


def kill_front(keeper: Keeper) -> None:
    keeper.process.kill()


def kill_guard(keeper: Keeper) -> None:
    keeper.guard.kill()


def kill_front_and_guard(keeper: Keeper) -> None:
    guard = keeper.guard
    for pid in (keeper.process.pid, guard.pid):
        os.kill(pid, signal.SIGSTOP)  # neither may see the other die
    guard.kill()
    keeper.process.kill()


@pytest.mark.parametrize("kill", [kill_front, kill_guard])
def test_sigkill_of_either_parent_leaves_nothing(
    kill: Callable[[Keeper], None], data: Path, keepers: list[Keeper]
) -> None:
    keeper, descendants = started(data, keepers)

    kill(keeper)

    eventually(lambda: all_gone(descendants), what="all descendants gone")
    assert "database system is shut down" in (data / "logs" / "postgres.log").read_text()


def test_sigkill_of_both_parents_at_once_stops_every_server(
    data: Path, keepers: list[Keeper]
) -> None:
    keeper, descendants = started(data, keepers)
    servers = keeper.descendants("postgres", "valkey-server", "mongod")

    kill_front_and_guard(keeper)

    eventually(lambda: all_gone(servers), what="all servers gone")
    assert "database system is shut down" in (data / "logs" / "postgres.log").read_text()
    for process in descendants:  # nobody was left to end what ignores a stop signal
        if process.is_running():
            process.kill()


def test_a_server_that_died_is_named_and_takes_the_rest_with_it(
    data: Path, keepers: list[Keeper]
) -> None:
    keeper, descendants = started(data, keepers)
    (mongod,) = keeper.descendants("mongod")

    mongod.kill()

    assert keeper.end() == 1
    assert "mongo was ended by SIGKILL" in keeper.messages
    assert f"last lines of {data / 'logs' / 'mongo.log'}" in keeper.messages
    assert all_gone(descendants)


def test_a_stop_while_the_stores_come_up_leaves_nothing(data: Path, keepers: list[Keeper]) -> None:
    keeper = stand_in(data)
    keepers.append(keeper)
    eventually((data / "logs" / "initdb.log").exists, what="initdb has begun")
    descendants = keeper.descendants()

    keeper.process.send_signal(signal.SIGINT)

    assert keeper.end() == 0
    assert UP not in keeper.messages
    assert all_gone(descendants)


def test_a_set_up_step_that_fails_is_named_with_its_words(
    data: Path, keepers: list[Keeper]
) -> None:
    keeper = stand_in(
        data, set_up="raise SystemExit('no such migration')", environment=starting_only()
    )
    keepers.append(keeper)

    assert keeper.end() == 1
    assert "set-up ended by itself with exit status 1" in keeper.messages
    assert "no such migration" in keeper.messages

"""`with`: fresh stores for one command, beside all others, and nothing left of them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from config.embedded.places import CHECKOUT
from tests.ops.running import Keeper, all_gone, eventually

WITH = (sys.executable, "-m", "config.embedded", "with", "--profile", "ops")
PRINT_AND_WAIT = (
    "import os, subprocess, sys, time; "
    "nap = [sys.executable, '-c', 'import time; time.sleep(600)']; "
    "subprocess.Popen(nap, start_new_session=True); "
    "print('URL', os.environ['REDIS_URL'], flush=True); time.sleep(600)"
)


def folders() -> set[Path]:
    return set((CHECKOUT / ".data").glob("ops-*"))


def beside(*command: str) -> subprocess.CompletedProcess[str]:
    argv = [*WITH, "--", *command]
    return subprocess.run(argv, cwd=CHECKOUT, capture_output=True, text=True, check=False)


def waiting(tmp_path: Path, name: str, keepers: list[Keeper]) -> Keeper:
    argv = [*WITH, "--", sys.executable, "-c", PRINT_AND_WAIT]
    keeper = Keeper(argv, messages=tmp_path / name)
    keepers.append(keeper)
    return keeper


def test_the_commands_exit_status_and_output_are_passed_on_with_urls_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://the.callers.own/0")
    before = folders()
    done = beside(sys.executable, "-c", "import os; print(os.environ['REDIS_URL']); exit(7)")
    assert done.returncode == 7
    assert done.stdout.startswith(("unix://:", "redis://:"))
    assert "the.callers.own" not in done.stdout
    assert "stores ready after" in done.stderr
    assert folders() <= before


def test_a_command_ended_by_a_signal_is_told_as_a_shell_does() -> None:
    assert beside("sh", "-c", "kill -KILL $$").returncode == 128 + signal.SIGKILL


def test_a_command_that_does_not_exist_is_named() -> None:
    done = beside("no-such-program")
    assert done.returncode == 1
    assert "no-such-program could not be started" in done.stderr


def test_two_at_once_do_not_meet_and_killing_one_spares_the_other(
    tmp_path: Path, keepers: list[Keeper]
) -> None:
    one, other = waiting(tmp_path, "one", keepers), waiting(tmp_path, "other", keepers)
    one.wait_for("URL ")
    other.wait_for("URL ")
    urls = [keeper.messages.split("URL ")[1] for keeper in (one, other)]
    assert urls[0] != urls[1]
    killed, spared = one.descendants(), other.descendants()

    one.process.kill()

    eventually(lambda: all_gone(killed), what="all of the killed one gone")
    assert all(process.is_running() for process in spared)
    other.process.send_signal(signal.SIGTERM)
    assert other.end() == 128 + signal.SIGTERM
    assert all_gone(spared)


def test_ctrl_c_reaches_the_command_which_may_answer(tmp_path: Path, keepers: list[Keeper]) -> None:
    answers = (
        "import time\nprint('waits', flush=True)\n"
        "try: time.sleep(600)\nexcept KeyboardInterrupt: print('my last words'); exit(5)"
    )
    argv = ["setsid", *WITH, "--", sys.executable, "-c", answers]
    keeper = Keeper(argv, messages=tmp_path / "interrupted")
    keepers.append(keeper)
    keeper.wait_for("waits")

    os.killpg(keeper.process.pid, signal.SIGINT)  # as a terminal does: the whole foreground group

    assert keeper.end() == 5
    assert "my last words" in keeper.messages


def test_what_a_killed_run_left_is_swept_by_the_next(tmp_path: Path, keepers: list[Keeper]) -> None:
    keeper = waiting(tmp_path, "killed", keepers)
    keeper.wait_for("URL ")
    descendants, left = keeper.descendants(), folders()
    guard = keeper.guard
    guard.kill()
    eventually(lambda: all_gone(descendants), what="all gone after the guard was killed")
    assert folders() == left

    assert beside("true").returncode == 0
    assert folders() == set()


def test_it_stops_with_the_process_that_started_it_if_told_to(tmp_path: Path) -> None:
    argv = [*WITH[:3], "--die-with-parent", *WITH[3:], "--", "sleep", "600"]
    # As make does: a parent that starts us and waits, and takes its leave without a word.
    parent_code = f"import subprocess; subprocess.run({argv!r})"
    parent = Keeper([sys.executable, "-c", parent_code], messages=tmp_path / "orphaned")
    parent.wait_for("stores ready")
    descendants = parent.descendants()

    parent.process.kill()

    eventually(lambda: all_gone(descendants), what="all gone after the parent was killed")

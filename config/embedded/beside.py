"""`with`: a command beside fresh stores on free ports; then stores and data are gone."""

import os
from collections.abc import Sequence
from pathlib import Path

from config.embedded.errors import StopRequested
from config.embedded.fleet import start_private_fleet
from config.embedded.guard import run_guarded
from config.embedded.places import passing_places
from config.embedded.processes import ProcessSpec
from config.embedded.supervisor import APP_STAGE, Running, Supervisor

INTERRUPTED_SECONDS = 10.0


def run_with_stores(command: Sequence[str], *, profile: str, parent: Path | None = None) -> int:
    """Run `command` with the stores' URLs in its environment and give its exit status.

    Safe beside other runs: ports and data (under `parent`, by default `.data/`) are its own. A
    store that dies ends the command, with status 1.
    """
    front_group = os.getpgid(0)

    def job(supervisor: Supervisor) -> int:
        with passing_places(prefix=profile, parent=parent) as places:
            try:
                fleet = start_private_fleet(supervisor, places)
                spec = ProcessSpec(
                    name=command[0],
                    argv=tuple(command),
                    cwd=Path.cwd(),
                    environment=os.environ | fleet.environment,
                    process_group=front_group,  # it owns the terminal, Ctrl-C reaches it
                )
                return _shell_status(_run(supervisor, spec))
            finally:
                supervisor.shut_down()

    return run_guarded(job)


def _run(supervisor: Supervisor, spec: ProcessSpec) -> Running:
    running = supervisor.start(spec, stage=APP_STAGE)
    try:
        while not running.ended:
            supervisor.wait(seconds=1.0, expected=running)
    except StopRequested as why:
        if str(why).startswith("i"):  # Ctrl-C: the command has got it too, and may say more
            supervisor.leave_time(running, seconds=INTERRUPTED_SECONDS)
        supervisor.shut_down()
    return running


def _shell_status(running: Running) -> int:
    """As a shell says it: 128 and the signal's number for a command ended by a signal."""
    status = running.status if running.status is not None else 1
    return status if status >= 0 else 128 - status

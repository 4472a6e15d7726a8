"""`stores` and `run`: servers in the foreground until somebody says stop."""

import shutil
from pathlib import Path

from config.embedded.errors import StopRequested
from config.embedded.fleet import Fleet, check_fit, free_ports, make_fleet, publish, start_fleet
from config.embedded.guard import run_guarded, say
from config.embedded.places import CHECKOUT, home_places
from config.embedded.settings import read_environment, read_settings
from config.embedded.supervisor import Supervisor


def serve_stores(*, own_ports: bool, env_file: Path | None) -> int:
    """Run the stores alone, on the set ports or on any free ones."""
    settings = free_ports() if own_ports else read_settings(read_environment(CHECKOUT))
    places = home_places()

    def job(supervisor: Supervisor) -> int:
        places.make()
        with places.owned():
            fleet = make_fleet(places, settings)
            check_fit(fleet, more_ports={})
            return _serve(supervisor, fleet, env_file)

    return run_guarded(job)


def _serve(supervisor: Supervisor, fleet: Fleet, env_file: Path | None) -> int:
    try:
        start_fleet(supervisor, fleet)
        publish(fleet)
        if env_file:
            shutil.copy(fleet.places.live_file, env_file)
        say(f"URLs are in {fleet.places.live_file}; Ctrl-C stops")
        _keep(supervisor)
    except StopRequested:
        say("stopping")
    finally:
        supervisor.shut_down()
        fleet.places.live_file.unlink(missing_ok=True)
    return 0


def _keep(supervisor: Supervisor) -> None:
    while True:
        supervisor.wait(seconds=60.0)

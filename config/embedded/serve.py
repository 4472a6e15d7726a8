"""`stores` and `run`: servers in the foreground until somebody says stop."""

import http.client
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.embedded.commands import command
from config.embedded.fleet import Fleet, check_fit, free_ports, make_fleet, publish, start_fleet
from config.embedded.guard import run_guarded, say
from config.embedded.places import CHECKOUT, Places, home_places
from config.embedded.processes import ProcessSpec
from config.embedded.settings import EmbeddedSettings, read_environment, read_settings
from config.embedded.supervisor import APP_STAGE, Supervisor

WEB_START_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What `run` does once the stores are ready: argument lists, by name where there are more.

    What the set-up steps print is told to the person at the terminal. The background starts when
    the web answers, so as not to compete with it for the machine.
    """

    set_up: Mapping[str, tuple[str, ...]]
    web: tuple[str, ...]
    background: Mapping[str, tuple[str, ...]]


def real_plan(environment: Mapping[str, str]) -> Plan:
    """Migrations and demo network, then web, live sockets, worker and beat."""
    return Plan(
        set_up={"set-up": (sys.executable, "-m", "config.embedded.set_up")},
        web=command("web", environment),
        background={name: command(name, environment) for name in ("live", "worker", "beat")},
    )


def serve_all() -> int:
    """`run`: all of Seatlock in this checkout's data folder."""
    environment = read_environment(CHECKOUT)
    return serve_plan(
        real_plan(environment),
        places=home_places(),
        settings=read_settings(environment),
        environment=environment,
    )


def serve_plan(
    plan: Plan, *, places: Places, settings: EmbeddedSettings, environment: Mapping[str, str]
) -> int:
    """Run stores and plan until a stop is asked for (0) or something dies (1)."""
    port = settings.ports["PORT"]
    ours = {name: settings.ports[name] for name in ("PORT", "LIVE_PORT")}

    def job(supervisor: Supervisor) -> int:
        started = time.monotonic()
        with _live_fleet(supervisor, places, settings, more_ports=ours) as fleet:
            _start_plan(supervisor, plan, places, {**environment, **fleet.environment}, port)
            say(f"http://127.0.0.1:{port}/ is up after {time.monotonic() - started:.1f} s")
            say(f"logs are in {places.logs}; Ctrl-C stops everything")
            _keep(supervisor)
        return 0

    return run_guarded(job)


def serve_stores(*, own_ports: bool, env_file: Path | None) -> int:
    """Run the stores alone, on the set ports or on any free ones."""
    settings = free_ports() if own_ports else read_settings(read_environment(CHECKOUT))
    places = home_places()

    def job(supervisor: Supervisor) -> int:
        with _live_fleet(supervisor, places, settings, more_ports={}):
            if env_file:
                shutil.copy(places.live_file, env_file)
            say(f"URLs are in {places.live_file}; Ctrl-C stops")
            _keep(supervisor)
        return 0

    return run_guarded(job)


@contextmanager
def _live_fleet(
    supervisor: Supervisor,
    places: Places,
    settings: EmbeddedSettings,
    *,
    more_ports: Mapping[str, int],
) -> Iterator[Fleet]:
    """Stores that run and are published; at the end all children of the supervisor are stopped."""
    places.make()
    with places.owned():
        fleet = make_fleet(places, settings)
        check_fit(fleet, more_ports=more_ports)
        try:
            start_fleet(supervisor, fleet)
            publish(fleet)
            yield fleet
        finally:
            say("stopping")
            supervisor.shut_down()
            places.live_file.unlink(missing_ok=True)


def _start_plan(
    supervisor: Supervisor, plan: Plan, places: Places, environment: Mapping[str, str], port: int
) -> None:
    def spec(name: str, argv: tuple[str, ...]) -> ProcessSpec:
        return ProcessSpec(
            name=name,
            argv=argv,
            cwd=CHECKOUT,
            environment={"PYTHONUNBUFFERED": "1", **environment},
            log=places.logs / f"{name}.log",
        )

    for name, argv in plan.set_up.items():
        step = spec(name, argv)
        supervisor.run_or_fail(step)
        _repeat(name, step.log)
    web = spec("web", plan.web)
    supervisor.start(web, stage=APP_STAGE)
    supervisor.wait_until(
        lambda: _answers(port), what="web", log=web.log, seconds=WEB_START_SECONDS
    )
    for name, argv in plan.background.items():
        supervisor.start(spec(name, argv), stage=APP_STAGE)


def _repeat(name: str, log: Path | None) -> None:
    """Tell what a step has printed."""
    for line in log.read_text().splitlines() if log else ():
        say(f"{name}: {line}")


def _answers(port: int) -> bool:
    """Whether HTTP is answered at all, with whatever status."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health/live/")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def _keep(supervisor: Supervisor) -> None:
    while True:
        supervisor.wait(seconds=60.0)

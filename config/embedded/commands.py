"""The command lines of Seatlock's own processes, spelled once.

`make run` starts them as children; a container runs one of them:

    python -m config.embedded.commands check | migrate | collect-static | seed-demo
    python -m config.embedded.commands web | live | worker | beat

which replaces itself with that program, so that signals reach it. Uses nothing but the standard
library: an image without the embedded servers has this module too.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent

# What an operator may turn here, besides PORT and LOG_LEVEL, with its default.
DEFAULTS = {
    "WEB_HOST": "127.0.0.1",
    "WEB_WORKERS": "2",
    "WEB_THREADS": "48",
    "WORKER_PROCESSES": "2",
}
SET_UP = ("check", "migrate", "collect-static", "seed-demo")
LONG_RUNNING = ("web", "live", "worker", "beat")


def command(name: str, environment: Mapping[str, str]) -> tuple[str, ...]:
    """The argument list of one of `SET_UP` or `LONG_RUNNING`. Run it in `CHECKOUT`."""
    manage = (sys.executable, "manage.py")
    match name:
        case "check":
            return (sys.executable, "-c", "import config.wsgi")
        case "migrate":
            return (*manage, "migrate", "--noinput")
        case "collect-static":
            return (*manage, "collectstatic", "--noinput")
        case "seed-demo":
            return (*manage, "seed_demo")
        case "web":
            return _web(environment)
        case "live":
            return (sys.executable, "-m", "web.live")
        case "worker":
            return _worker(environment)
        case "beat":
            return _celery("beat", environment)
        case _:
            names = ", ".join((*SET_UP, *LONG_RUNNING))
            raise SystemExit(f"unknown command {name!r}: one of {names}")


def _web(environment: Mapping[str, str]) -> tuple[str, ...]:
    return (
        str(BIN / "granian"),
        *("--interface", "wsgi", "config.wsgi:application"),
        *("--host", _setting("WEB_HOST", environment)),
        *("--port", environment.get("PORT") or "8000"),
        *("--workers", _setting("WEB_WORKERS", environment)),
        *("--blocking-threads", _setting("WEB_THREADS", environment)),
        *("--http", "1", "--no-ws"),
        # Granian counts connections here, idle ones too: a small number would let sixteen quiet
        # keep-alive clients lock everybody else out. What runs at once is bounded by the threads.
        *("--backlog", "2048", "--backpressure", "1024"),
        *("--respawn-failed-workers", "--workers-kill-timeout", "10"),
    )


def _worker(environment: Mapping[str, str]) -> tuple[str, ...]:
    return (
        *_celery("worker", environment),
        *("--concurrency", _setting("WORKER_PROCESSES", environment)),
        # Workers have nothing to tell each other: every task may run anywhere, twice at once.
        *("--without-gossip", "--without-mingle"),
    )


def _celery(part: str, environment: Mapping[str, str]) -> tuple[str, ...]:
    level = environment.get("LOG_LEVEL") or "INFO"
    return (str(BIN / "celery"), "-A", "celery_app", part, "--loglevel", level)


def _setting(name: str, environment: Mapping[str, str]) -> str:
    return environment.get(name) or DEFAULTS[name]


def main(arguments: list[str]) -> None:
    if len(arguments) != 1:
        raise SystemExit(__doc__)
    argv = command(arguments[0], os.environ)
    os.chdir(CHECKOUT)
    if arguments == ["web"]:
        # Granian brings a worker back that died; one that refuses to start, for a wrong setting,
        # it would bring back for ever.
        check = subprocess.run(command("check", os.environ), check=False)  # noqa: S603
        if check.returncode != 0:
            raise SystemExit(check.returncode)
    os.execv(argv[0], argv)  # noqa: S606 (our own argument lists)


if __name__ == "__main__":
    main(sys.argv[1:])

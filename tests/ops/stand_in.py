"""`run` with stand-ins for web, worker and beat, so that these tests are about the keeping alone.

    python -m tests.ops.stand_in DATA_FOLDER PORT... [--set-up SOURCE] [--real]

starts the stores on the given ports, in the order of `PORT_DEFAULTS`, and a web stand-in that
answers HTTP and has children in sessions of their own, as forking servers do. With --real it
starts the real web, worker and beat instead.
"""

import argparse
import os
import sys
from pathlib import Path

from config.embedded.errors import EmbeddedError
from config.embedded.guard import say
from config.embedded.places import Places
from config.embedded.serve import Plan, real_plan, serve_plan
from config.embedded.settings import PORT_DEFAULTS, read_settings

WEB = """
import subprocess, sys
from http.server import HTTPServer, BaseHTTPRequestHandler
nap = "import time; time.sleep(600)"
for own_session in (True, False):
    subprocess.Popen([sys.executable, "-c", nap], start_new_session=own_session)
deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
subprocess.Popen([sys.executable, "-c", deaf], start_new_session=True)
HTTPServer(("127.0.0.1", int(sys.argv[1])), BaseHTTPRequestHandler).serve_forever()
"""
NAP = "import time; time.sleep(600)"


def stand_ins(port: str, set_up: str | None) -> Plan:
    python = sys.executable
    return Plan(
        set_up={"set-up": (python, "-c", set_up)} if set_up else {},
        web=(python, "-c", WEB, port),
        background={"worker": (python, "-c", NAP)},
    )


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("ports", nargs=len(PORT_DEFAULTS))
    parser.add_argument("--set-up", help="Python source to run before web and worker")
    parser.add_argument("--real", action="store_true")
    chosen = parser.parse_args()
    environment = dict(os.environ) | dict(zip(PORT_DEFAULTS, chosen.ports, strict=True))
    plan = real_plan(environment) if chosen.real else stand_ins(environment["PORT"], chosen.set_up)
    try:
        return serve_plan(
            plan,
            places=Places(data=chosen.data),
            settings=read_settings(environment),
            environment=environment,
        )
    except EmbeddedError as failed:
        say(str(failed))
        return 1


if __name__ == "__main__":
    sys.exit(main())

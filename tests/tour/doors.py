"""The doors the tour goes through: HTTP, and the shells that open the live stores."""

import json
import os
import shlex
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pymongo
from pymongo.database import Database

from config.embedded.places import CHECKOUT
from config.embedded.settings import read_environment
from config.embedded.shells import live_url
from tests.tour import show

TIMEOUT_SECONDS = 30


class TourFailed(Exception):
    """Something was not as it should be; the message says what."""


def base_url() -> str:
    """Where `make run` serves: TOUR_URL, else PORT."""
    port = read_environment(CHECKOUT).get("PORT") or "8000"
    return os.environ.get("TOUR_URL") or f"http://127.0.0.1:{port}"


@dataclass
class Api:
    """The HTTP API as one caller sees it."""

    access: str = ""

    def get(self, path: str, **query: object) -> Any:
        return self._call("GET", f"{path}?{urlencode(query)}" if query else path, None)

    def post(self, path: str, **body: object) -> Any:
        return self._call("POST", path, body)

    def _call(self, method: str, path: str, body: dict[str, object] | None) -> Any:
        show.asked(f"{method} /api/v1/{path}" + (f"  {json.dumps(body)}" if body else ""))
        return self.quietly(method, path, body)

    def quietly(self, method: str, path: str, body: dict[str, object] | None = None) -> Any:
        """The call, not shown."""
        headers = {"Content-Type": "application/json"}
        if self.access:
            headers["Authorization"] = f"Bearer {self.access}"
        request = urllib.request.Request(  # noqa: S310  # http, by base_url
            f"{base_url()}/api/v1/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers=headers,
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            text = refused.read().decode(errors="replace")
            raise TourFailed(f"{method} {path}: {refused.code} {text}") from None
        except OSError as away:
            raise TourFailed(f"{base_url()} does not answer ({away}): is `make run` up?") from None


def shell(name: str, *arguments: str) -> str:
    """What redis-cli or psql say to one command on the live store."""
    show.asked(f'make {name} ARGS="{shlex.join(arguments)}"')
    done = subprocess.run(
        [sys.executable, "-m", "config.embedded", name, *arguments],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise TourFailed(f"{name} {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.rstrip()


def audit_database() -> "Database[dict[str, Any]]":
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
        live_url("MONGO_URL"), serverSelectionTimeoutMS=TIMEOUT_SECONDS * 1000, tz_aware=True
    )
    return client[read_environment(CHECKOUT).get("MONGO_DATABASE") or "seatlock"]


def manage(*arguments: str) -> None:
    """A management command, its output shown as it comes."""
    show.asked("python manage.py " + " ".join(arguments))
    argv = [sys.executable, "manage.py", *arguments]
    if subprocess.run(argv, cwd=CHECKOUT, check=False).returncode != 0:
        raise TourFailed(f"manage.py {arguments[0]} failed")

"""Settings of the embedded servers, read from the environment and from `.env`.

A store whose URL is given is a server of one's own: it is used as it is and never started.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

from config.embedded.errors import WrongSetting

PORT_DEFAULTS = {
    "PORT": 8000,
    "LIVE_PORT": 8001,
    "EMBEDDED_POSTGRES_PORT": 15432,
    "EMBEDDED_REDIS_PORT": 16379,
    "EMBEDDED_BROKER_PORT": 16380,
    "EMBEDDED_MONGO_PORT": 17017,
}
# What the embedded servers make up themselves unless it is given.
GIVEN_NAMES = ("DATABASE_URL", "REDIS_URL", "BROKER_URL", "CACHE_URL", "MONGO_URL", "SECRET_KEY")


@dataclass(frozen=True, kw_only=True)
class EmbeddedSettings:
    """Ports by setting name, and what was given of `GIVEN_NAMES`."""

    ports: Mapping[str, int]
    given: Mapping[str, str]


def read_environment(checkout: Path) -> dict[str, str]:
    """The process environment, with `.env` filling what is not set there."""
    from_file = {name: value for name, value in _dotenv(checkout).items() if value is not None}
    return from_file | dict(os.environ)


def _dotenv(checkout: Path) -> dict[str, str | None]:
    path = checkout / ".env"
    return dotenv_values(path) if path.exists() else {}


def read_settings(environment: Mapping[str, str]) -> EmbeddedSettings:
    """The embedded servers' part of the environment.

    Raises:
        WrongSetting: a port is no port, or two servers would share one.

    """
    ports = {name: _port(name, environment.get(name, "")) for name in PORT_DEFAULTS}
    if not environment.get("LIVE_PORT", "").strip():
        ports["LIVE_PORT"] = ports["PORT"] + 1
    seen: dict[int, str] = {}
    for name, port in ports.items():
        if port in seen:
            raise WrongSetting(f"{name} and {seen[port]} are both {port}: give each its own port")
        seen[port] = name
    given = {name: environment[name] for name in GIVEN_NAMES if environment.get(name, "").strip()}
    return EmbeddedSettings(ports=ports, given=given)


def _port(name: str, text: str) -> int:
    if not text.strip():
        return PORT_DEFAULTS[name]
    if text.strip().isascii() and text.strip().isdigit() and 1 <= int(text) <= 65535:
        return int(text)
    raise WrongSetting(f"{name} must be a port from 1 to 65535, not {text!r}")

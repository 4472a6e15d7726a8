"""What the supervisor needs to know of a store."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from config.embedded.places import Places
from config.embedded.processes import ProcessSpec

RunOrFail = Callable[[ProcessSpec], None]

# What the kernel takes as the path of a Unix socket: `sun_path` without its closing zero.
LONGEST_SOCKET: Final = 107


def fits_a_socket(path: Path) -> bool:
    """Is the path short enough for a Unix socket? If not, TCP on 127.0.0.1 has to do."""
    return len(os.fsencode(path)) <= LONGEST_SOCKET


class Store(ABC):
    """A server on 127.0.0.1 with its data in `places`. Its password is made by `places`."""

    name: str
    settings: frozenset[str]
    """Those it serves with a URL."""
    start_seconds = 60.0

    def __init__(self, *, places: Places, port: int) -> None:
        self.places = places
        self.port = port

    @property
    def log(self) -> Path:
        return self.places.logs / f"{self.name}.log"

    @property
    @abstractmethod
    def programs(self) -> tuple[Path, ...]:
        """The binaries it is made of, for the preflight."""

    @property
    @abstractmethod
    def urls(self) -> Mapping[str, str]:
        """Its URL by each of its settings; to make them may take its folders."""

    @abstractmethod
    def prepare(self, run_or_fail: RunOrFail) -> None:
        """Make its data and configuration, once; harmless when made already."""

    @abstractmethod
    def spec(self) -> ProcessSpec:
        """The server process."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether it takes writes. The first time, this also makes user and database."""

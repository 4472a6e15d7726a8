"""What the supervisor needs to know of a store."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path

from config.embedded.places import Places
from config.embedded.processes import ProcessSpec

RunOrFail = Callable[[ProcessSpec], None]


class Store(ABC):
    """A server on 127.0.0.1 with its data in `places`. Its password is made by `places`."""

    name: str
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
        """Its URL by each setting that it serves."""

    @abstractmethod
    def prepare(self, run_or_fail: RunOrFail) -> None:
        """Make its data and configuration, once; harmless when made already."""

    @abstractmethod
    def spec(self) -> ProcessSpec:
        """The server process."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether it takes writes. The first time, this also makes user and database."""

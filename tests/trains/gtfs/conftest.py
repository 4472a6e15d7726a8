"""A maker of feeds, and imports of them."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from config import clock
from tests.trains.gtfs.feeds import write_feed
from trains import hooks
from trains.gtfs.import_feed import import_feed
from trains.gtfs.report import ImportReport
from trains.models import Departure

Changes = Mapping[str, str | bytes | None]
ImportTiny = Callable[..., ImportReport]


@pytest.fixture
def tiny(tmp_path: Path, empty_redis: None) -> ImportTiny:
    """Import the good feed with some files changed: `tiny({"trips.txt": …}, dry_run=True)`."""

    def run(changes: Changes | None = None, **options: Any) -> ImportReport:
        return import_feed(path=write_feed(tmp_path, changes), **options)

    return run


MONDAY_MORNING = datetime(2030, 3, 4, 1, tzinfo=UTC)


@pytest.fixture
def monday_morning() -> Iterator[None]:
    """Half past six in India, before the tiny train leaves."""
    with clock.moved(MONDAY_MORNING - clock.now()):
        yield


class Passengers:
    """Stands in for the engine: departures it was given are in somebody's hands."""

    def __init__(self) -> None:
        self.departures: set[int] = set()

    def keep(self, train_ids: Any) -> set[int]:
        kept = Departure.objects.filter(pk__in=self.departures, train__in=train_ids)
        return set(kept.values_list("pk", flat=True))


@pytest.fixture
def passengers(monkeypatch: pytest.MonkeyPatch) -> Passengers:
    """The only one who is asked whether a departure may go."""
    someone = Passengers()
    monkeypatch.setattr(hooks, "_keepers", [someone.keep])
    return someone

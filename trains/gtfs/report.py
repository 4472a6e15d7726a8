"""What an import did, or would do."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

EXAMPLES_MAX: Final = 5


@dataclass(frozen=True, kw_only=True)
class Tally:
    """How many of a kind the feed has, and what became of them."""

    total: int = 0
    new: int = 0
    changed: int = 0
    removed: int = 0

    @property
    def is_unchanged(self) -> bool:
        return not (self.new or self.changed or self.removed)

    def __str__(self) -> str:
        if self.is_unchanged:
            return f"{self.total:,} (unchanged)"
        parts = ((self.new, "new"), (self.changed, "changed"), (self.removed, "removed"))
        said = ", ".join(f"{count:,} {what}" for count, what in parts if count)
        return f"{self.total:,} ({said})"


@dataclass(frozen=True, kw_only=True)
class DepartureChanges:
    """What became of the departures to come. `set_aside` counts days on which a new train does
    not run because the one before it does.
    """

    closed: int = 0
    reopened: int = 0
    retimed: int = 0
    set_aside: int = 0

    @property
    def is_unchanged(self) -> bool:
        return not (self.closed or self.reopened or self.retimed or self.set_aside)

    def __str__(self) -> str:
        parts = (
            (self.closed, "closed"),
            (self.reopened, "reopened"),
            (self.retimed, "at new times"),
            (self.set_aside, "set aside for the train before"),
        )
        return ", ".join(f"{count:,} {what}" for count, what in parts if count)


@dataclass(kw_only=True)
class Remarks:
    """Gathers what an operator should know, counted by kind, with a few examples of each."""

    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def add(self, kind: str, example: str, count: int = 1) -> None:
        """Note one more of a kind; `kind` ends the sentence "<count> …"."""
        self.counts[kind] = self.counts.get(kind, 0) + count
        known = self.examples.setdefault(kind, [])
        if example and len(known) < EXAMPLES_MAX and example not in known:
            known.append(example)

    def lines(self) -> Iterator[str]:
        for kind, count in self.counts.items():
            examples = self.examples[kind]
            more = ", …" if len(examples) == EXAMPLES_MAX else ""
            yield f"{count:,} {kind}" + (f": {', '.join(examples)}{more}" if examples else "")


@dataclass(frozen=True, kw_only=True)
class ImportReport:
    """The outcome of one import.

    `train_ids` are those to open departures for: new ones, and those that run on other days or
    at other times than before. `warnings` want attention, `remarks` are good to know. `seats`
    counts seat rows made (or, in a dry run, that would be).
    """

    feed: str
    dry_run: bool
    stations: Tally
    calendars: Tally
    trains: Tally
    departures: DepartureChanges
    coaches: int
    seats: int
    shifted_days: int
    train_ids: tuple[int, ...]
    warnings: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def is_unchanged(self) -> bool:
        """Whether the database already said what the feed says."""
        parts = (self.stations, self.calendars, self.trains, self.departures)
        return all(part.is_unchanged for part in parts)

"""`manage.py import_gtfs PATH [--feed CODE] [--shift-calendar] [--dry-run] [--no-open]`."""

from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from config.errors import SeatlockError
from trains.gtfs.errors import FeedBroken
from trains.gtfs.import_feed import FEED_CODE_LENGTH_MAX, import_feed
from trains.gtfs.report import ImportReport
from trains.services.open_departures import open_departures

FEED_CODE = "letters, digits, - and _"


class Command(BaseCommand):
    help = "Import a GTFS feed, whole or not at all; repeatable. See docs/FEEDS.md."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, help="a GTFS zip file, or a folder with its files")
        parser.add_argument(
            "--feed",
            metavar="CODE",
            help="the feed's own code; without it, one made from the first agency's name",
        )
        parser.add_argument(
            "--shift-calendar",
            action="store_true",
            help="move a calendar that is over onto today, by whole weeks",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="report what would change, and change nothing"
        )
        parser.add_argument(
            "--no-open", action="store_true", help="leave opening departures to the hourly task"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        _check_code(options["feed"])
        with terminal_progress() as progress:
            try:
                report = import_feed(
                    path=options["path"],
                    feed_code=options["feed"],
                    shift_calendar=options["shift_calendar"],
                    dry_run=options["dry_run"],
                    progress=progress,
                )
            except FeedBroken as broken:
                raise CommandError(f"the feed is broken, nothing was imported: {broken}") from None
            except SeatlockError as failed:
                raise CommandError(f"nothing was imported: {failed}") from None
            opened = None
            if report.train_ids and not (report.dry_run or options["no_open"]):
                progress.begin("opening departures", 1)
                opened = open_departures(train_ids=report.train_ids)
        self._tell(report, opened)

    def _tell(self, report: ImportReport, opened: int | None) -> None:
        for warning in report.warnings:
            self.stderr.write(self.style.WARNING(f"WARNING: {warning}"))
        for line in report_lines(report):
            self.stdout.write(line)
        if opened is not None:
            self.stdout.write(f"  on sale     {opened:,} departures opened")


def report_lines(report: ImportReport) -> Iterator[str]:
    state = "unchanged" if report.is_unchanged else "imported"
    if report.dry_run and not report.is_unchanged:
        state = "dry run, nothing was written; an import would bring"
    yield f"feed {report.feed}: {state}"
    yield f"  stations    {report.stations}"
    yield f"  calendars   {report.calendars}"
    yield f"  trains      {report.trains}"
    if report.coaches:
        yield f"  seats       {report.seats:,} new in {report.coaches:,} coaches"
    if not report.departures.is_unchanged:
        yield f"  departures  {report.departures}"
    for remark in report.remarks:
        yield f"  note: {remark}"


class TerminalProgress:
    """A bar for each phase, on stderr; nothing when that is no terminal."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._task: TaskID | None = None

    def begin(self, phase: str, total: int) -> None:
        self.finish()
        self._task = self._bars.add_task(phase, total=total or 1)

    def advance(self, by: int) -> None:
        if self._task is not None:
            self._bars.advance(self._task, by)

    def finish(self) -> None:
        """Fill the bar of the phase that ended: file sizes and row counts are estimates."""
        if self._task is not None:
            task = self._bars.tasks[self._task]
            self._bars.update(self._task, completed=task.total)


@contextmanager
def terminal_progress() -> Iterator[TerminalProgress]:
    columns = (
        TextColumn("{task.description:<24}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        progress = TerminalProgress(bars)
        yield progress
        progress.finish()


def _check_code(code: str | None) -> None:
    if code is None:
        return
    fits = code.isascii() and code.replace("-", "").replace("_", "").isalnum()
    if not fits or len(code) > FEED_CODE_LENGTH_MAX:
        raise CommandError(f"--feed takes {FEED_CODE}, at most {FEED_CODE_LENGTH_MAX}")

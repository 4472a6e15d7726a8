"""Import a GTFS feed: the one service of this package."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.utils.text import slugify

from config import clock
from config.outbox.facts import append
from trains import facts
from trains.gtfs.calendars import Period, read_period, stage_wanted, store_calendars
from trains.gtfs.departures import (
    follow_timetable,
    refuse_if_taken_meanwhile,
    remember_departures,
)
from trains.gtfs.errors import FeedBroken
from trains.gtfs.formation import couple_coaches
from trains.gtfs.make_seats import make_seats
from trains.gtfs.matching import match_trains
from trains.gtfs.progress import Progress, SilentProgress
from trains.gtfs.references import check_references
from trains.gtfs.report import ImportReport, Remarks
from trains.gtfs.source import FeedSource
from trains.gtfs.staging import stage
from trains.gtfs.statistics import analyse
from trains.gtfs.store_stations import store_stations
from trains.gtfs.store_trains import store_trains
from trains.gtfs.tables import TABLES
from trains.gtfs.timetable import stage_trains
from trains.models import Feed, FeedStop
from trains.services.load_templates import load_templates

FEED_CODE_LENGTH_MAX: Final = 40
_ONE_AT_A_TIME: Final = "SELECT pg_advisory_xact_lock(hashtext('trains.gtfs.import_feed'))"


@dataclass(kw_only=True)
class _Import:
    """What one import has in hand."""

    progress: Progress
    dry_run: bool
    remarks: Remarks = field(default_factory=Remarks)
    warnings: list[str] = field(default_factory=list)


def import_feed(
    *,
    path: Path,
    feed_code: str | None = None,
    shift_calendar: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Bring the timetable in line with the feed at `path` (a zip file or a folder).

    `feed_code` names the feed; unless given it is made from its first agency's name. It decides
    what is compared: a feed imported again under its code is a new version of itself, under
    another code it stands beside the first. `shift_calendar` moves a feed that is over onto
    today, by whole weeks. `dry_run` does everything but the seats, and takes it all back.

    All in one transaction: it is imported whole or not at all. Raises `FeedBroken`, and
    `SeatsTakenMeanwhile` when it should be tried again.
    """
    work = _Import(progress=progress or SilentProgress(), dry_run=dry_run)
    with FeedSource(path) as source, transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_ONE_AT_A_TIME)
        counts = stage(source, work.progress)
        check_references()
        feed = _open_feed(feed_code)
        report = _write(feed, counts["trips.txt"], work, shift_calendar=shift_calendar)
        _close_feed(feed, source, report)
        if dry_run:
            transaction.set_rollback(True)
    return report


def _open_feed(given_code: str | None) -> Feed:
    """The row of this feed, made if it is new. The staged agencies name it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, timezone FROM gtfs_agency ORDER BY line LIMIT 1")
        name, timezone = cursor.fetchone()
    code = given_code or slugify(name)[:FEED_CODE_LENGTH_MAX].strip("-") or "feed"
    feed, made = Feed.objects.get_or_create(
        code=code, defaults={"name": name[:200], "timezone": timezone}
    )
    if not made and not given_code and not _shares_stops(feed):
        reason = (
            f"shares no stop with the feed {code!r} imported before: if it is another one,"
            " import it with --feed CODE; if it is the same one, with --feed " + code
        )
        raise FeedBroken(file="stops.txt", reason=reason)
    feed.name, feed.timezone = name[:200], timezone
    return feed


def _shares_stops(feed: Feed) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT stop_id FROM gtfs_stop")
        staged = {row[0] for row in cursor}
    known = FeedStop.objects.filter(feed=feed).values_list("stop_id", flat=True)
    return not known or any(stop_id in staged for stop_id in known)


def _write(feed: Feed, trips: int, work: _Import, *, shift_calendar: bool) -> ImportReport:
    """Compare the staged feed with what is stored, and write the difference."""
    today = clock.now().astimezone(ZoneInfo(feed.timezone)).date()
    analyse("train", "stop", "coach", "seat", "departure", "station", "vehicletemplate")
    remember_departures(feed)
    period = read_period()
    shifted = stage_wanted(feed, period, today, shift=shift_calendar)
    work.warnings += _calendar_warnings(period, shifted, today)
    stations = store_stations(feed, feed.timezone)
    stage_trains(trips, work.remarks, work.progress)
    work.progress.begin("comparing", 1)
    successions = match_trains(feed)
    calendars = store_calendars(feed)
    stored = store_trains(feed, work.remarks, calendars_changed=calendars.changed)
    departures = follow_timetable(
        retimed=stored.retimed, successions=successions, remarks=work.remarks
    )
    load_templates()
    coaches, seats = couple_coaches()
    if not work.dry_run:
        make_seats(sorted(stored.new), progress=work.progress, seats=seats)
    refuse_if_taken_meanwhile(stored.retimed)
    return ImportReport(
        feed=feed.code,
        dry_run=work.dry_run,
        stations=stations,
        calendars=replace(calendars.tally, removed=stored.calendars_dropped),
        trains=stored.tally,
        departures=departures,
        coaches=coaches,
        seats=seats,
        shifted_days=shifted,
        train_ids=tuple(sorted(stored.new | stored.retimed | stored.redated)),
        warnings=tuple(work.warnings),
        remarks=tuple(work.remarks.lines()),
    )


def _calendar_warnings(period: Period | None, shifted_days: int, today: date) -> Iterator[str]:
    if period is None:
        yield "NOTHING RUNS: no service of this feed is active on any day"
    elif shifted_days:
        yield (
            f"the calendar ({period.first} to {period.last}) was over;"
            f" it was moved by {shifted_days // 7} weeks onto today"
        )
    elif period.last < today:
        yield (
            f"THE CALENDAR IS OVER: the last day is {period.last}, no train will run."
            " Get a newer feed, or move this one onto today with --shift-calendar"
        )
    elif period.first > today:
        yield f"no train runs before {period.first}"


def _close_feed(feed: Feed, source: FeedSource, report: ImportReport) -> None:
    """Note what was imported, and the fact of it. A file that brought nothing new leaves none."""
    digest = source.digest([table.file for table in TABLES])
    if report.is_unchanged and feed.digest == digest:
        return
    feed.digest = digest
    feed.imported_at = clock.now()
    feed.revision += 1
    feed.save()
    counts = {
        "trains_new": report.trains.new,
        "trains_changed": report.trains.changed,
        "trains_removed": report.trains.removed,
        "departures_closed": report.departures.closed,
        "departures_reopened": report.departures.reopened,
        "departures_retimed": report.departures.retimed,
    }
    append(
        facts.feed_imported(feed=feed.code, revision=feed.revision, digest=digest, counts=counts)
    )

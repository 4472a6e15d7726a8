"""Copy a feed into temporary tables, where PostgreSQL can check, sort and join it.

The tables belong to the import's connection and go with its transaction, so nothing is left of a
feed that is refused.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.db import connection

from trains.gtfs.errors import FeedBroken
from trains.gtfs.progress import Progress
from trains.gtfs.rows import read_rows
from trains.gtfs.source import FeedSource
from trains.gtfs.tables import TABLES, Table

_SERVICES: Final = """
INSERT INTO gtfs_service (service_id)
SELECT service_id FROM gtfs_calendar UNION SELECT service_id FROM gtfs_calendar_date
"""


def create_table(name: str, columns: str) -> None:
    """Make a temporary table that goes with the transaction, in place of an older one.

    `columns` are SQL definitions, separated by commas.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {name}")
        cursor.execute(f"CREATE TEMP TABLE {name} ({columns}) ON COMMIT DROP")


def column_names(columns: str) -> list[str]:
    """The names in a list of SQL definitions."""
    return [column.split()[0] for column in columns.split(", ")]


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """COPY rows into a table as they come; return how many there were."""
    count = 0
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


def stage(source: FeedSource, progress: Progress) -> dict[str, int]:
    """Copy every file we know; return the number of rows by file.

    Raises `FeedBroken` for a missing file or the first row that is wrong by itself.
    """
    _require_files(source)
    counts = {}
    for table in TABLES:
        create_table(table.name, f"line int, {table.columns}")
        if table.file in source:
            progress.begin(f"reading {table.file}", source.size_bytes(table.file))
            counts[table.file] = _copy_file(source, table, progress)
    create_table("gtfs_service", "service_id text PRIMARY KEY")
    with connection.cursor() as cursor:
        cursor.execute(_SERVICES)
        cursor.execute("CREATE INDEX ON gtfs_stop_time (trip_id, stop_sequence)")
        for table in TABLES:
            cursor.execute(f"ANALYZE {table.name}")
    return counts


def _require_files(source: FeedSource) -> None:
    for table in TABLES:
        if table.file not in source and not table.optional:
            raise FeedBroken(file=table.file, reason="the feed has no such file at its top level")
    if "calendar.txt" not in source and "calendar_dates.txt" not in source:
        reason = "the feed has neither this file nor calendar_dates.txt"
        raise FeedBroken(file="calendar.txt", reason=reason)


def _copy_file(source: FeedSource, table: Table, progress: Progress) -> int:
    names = ("line", *column_names(table.columns))
    rows = read_rows(source, table.file, required=table.header, advance=progress.advance)
    return copy_rows(table.name, names, ((row.line, *table.parse(row)) for row in rows))

"""A database as after its migrations, after each test that commits, in a tenth of the time.

Django truncates every table, which gives each a new file (220 ms here), and sends `post_migrate`,
which looks for content types and permissions of every model and for the first fares (130 ms), for a
thousand tests. Nearly all of them leave a few rows in a few tables. Those are deleted, and the rows
that were there at first come back from copies, ids and all; where there are many, all is truncated
as ever.
"""

from collections.abc import Sequence
from typing import Any, Final

from django.core.management.commands import flush
from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations

FEW_ROWS: Final = 1_000
COPIES: Final = "at_first"  # a schema of the test database

# Foreign keys are checked at the end, so the order does not matter.
_EMPTY: Final = """
DO $$
DECLARE
    name text;
    rows integer;
    filled text[] := '{{}}';
    is_few boolean := true;
BEGIN
    FOREACH name IN ARRAY ARRAY[{tables}] LOOP
        EXECUTE format('SELECT count(*) FROM (SELECT FROM %I LIMIT {most} + 1) AS few', name)
           INTO rows;
        IF rows > {most} THEN
            {truncate}
            is_few := false;
            EXIT;
        END IF;
        IF rows > 0 THEN
            filled := filled || name;
        END IF;
    END LOOP;
    IF is_few THEN
        FOREACH name IN ARRAY filled LOOP
            EXECUTE format('DELETE FROM %I', name);
        END LOOP;
    END IF;
    {put_back}
END
$$
"""

_sql_flush: Final = DatabaseOperations.sql_flush


def empty_quickly() -> None:
    """From now on, in this process; `keep_first_rows` comes before the first test."""
    DatabaseOperations.sql_flush = _flush  # type: ignore[assignment]
    flush.emit_post_migrate_signal = _nothing_to_add  # type: ignore[attr-defined]


def keep_first_rows() -> None:
    """Copy what the migrations left, once in the life of a test database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regnamespace(%s) IS NOT NULL", [COPIES])
        if cursor.fetchone()[0]:
            return
        cursor.execute(f"CREATE SCHEMA {COPIES}")
        for name in connection.introspection.django_table_names(only_existing=True):
            cursor.execute(f"SELECT EXISTS (SELECT FROM {name})")  # noqa: S608  # of our models
            if cursor.fetchone()[0]:
                cursor.execute(f"CREATE TABLE {COPIES}.{name} AS TABLE {name}")


def _flush(
    self: DatabaseOperations,
    style: Any,
    tables: Sequence[str],
    *,
    reset_sequences: bool = False,
    allow_cascade: bool = False,
) -> list[str]:
    truncate = _sql_flush(
        self, style, tables, reset_sequences=reset_sequences, allow_cascade=allow_cascade
    )
    if reset_sequences or len(truncate) != 1:
        raise NotImplementedError("no test of ours needs sequences that begin again")
    with self.connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [COPIES])
        copied = [name for (name,) in cursor.fetchall()]
    put_back = (f"INSERT INTO {name} TABLE {COPIES}.{name};" for name in copied)
    names = ", ".join(f"'{name}'" for name in sorted(tables))
    return [
        _EMPTY.format(
            tables=names, most=FEW_ROWS, truncate=truncate[0], put_back="\n    ".join(put_back)
        )
    ]


def _nothing_to_add(*_: object, **__: object) -> None:
    """In place of `post_migrate`: its rows are back already."""

"""Statements that PostgreSQL parses and plans once for each connection, then runs by name.

Django's own cursors put values into the text of a statement, so that each time it is a new one to
the server; for a long statement that runs thousands of times a second planning costs more than
running it. psycopg prepares a text when a connection has run it `prepare_threshold` times
(settings). A pooler between us and PostgreSQL that gives each transaction another connection must
know prepared statements (PgBouncer does since 1.21).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper


@contextmanager
def prepared_cursor(*, binary: bool = False) -> Iterator[CursorWrapper]:
    """Like `connection.cursor()`, with values sent beside the text; errors and wrappers are
    Django's. While queries are logged (debugging) it is that very cursor: the log wants the values.

    `binary`: rows come as PostgreSQL keeps them. For many moments in a row that is far quicker:
    Django's reader of their text is Python, psycopg's of their bytes is C.
    """
    if connection.queries_logged:
        with connection.cursor() as cursor:
            yield cursor
        return
    connection.ensure_connection()
    plain: Any = psycopg.Cursor(connection.connection)
    if binary:
        plain.format = psycopg.pq.Format.BINARY
    with connection.make_cursor(plain) as cursor:
        yield cursor

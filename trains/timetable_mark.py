"""The mark of the timetable: another one after every COMMIT that changed it, seen by all processes.

    staff, import         PostgreSQL            Redis                 a search anywhere
      | INSERT, UPDATE --->|                      |                        |
      | COMMIT ----------->|                      |                        |
      | SET timetable <random> ------------------>|                        |
      |                                           |<-- mark, free seats ---| not the mark that its
      |                    |<------------------------------ timetable -----| memory was made under

Whoever keeps a part of the timetable in memory keeps the mark it was read under, read *before* the
rows; a mark that has moved says: read again. Statements are watched, not their writers, so that no
page of the admin, import or command can be forgotten.

What a process has not announced, because it was killed right after its COMMIT or Redis was away, is
announced again by the outbox where there is a fact, and is otherwise seen when memories have become
old (`reservations.availability.timetable`).
"""

import logging
import re
import secrets
from collections.abc import Callable
from typing import Any, Final

import redis.exceptions
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from config.stores import keys
from config.stores.redis import holds_store

logger = logging.getLogger(__name__)

# A table that is only read or locked ("FOR UPDATE OF") does not count.
_CHANGES: Final = re.compile(
    r'(?:INSERT INTO|UPDATE|DELETE FROM)\s+(?:ONLY\s+)?"?trains_|TRUNCATE\s[^;]*\btrains_',
    re.IGNORECASE,
)


def move_mark() -> None:
    """Give the timetable another mark. Never raises: the change itself is committed."""
    try:
        holds_store().set(keys.TIMETABLE, secrets.token_hex(8))
    except redis.exceptions.RedisError:
        logger.warning("a change of the timetable was not announced; it will be", exc_info=True)


def watch(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Watch the statements of a connection (receiver of Django's `connection_created`)."""
    if _watched not in connection.execute_wrappers:
        connection.execute_wrappers.append(_watched)


def _watched(
    execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    answer = execute(sql, params, many, context)
    if isinstance(sql, str) and "trains_" in sql and changes_timetable(sql):
        _announce(context["connection"])
    return answer


def changes_timetable(sql: str) -> bool:
    """Does this statement write to a table of the timetable?"""
    return _CHANGES.search(sql) is not None


def _announce(connection: BaseDatabaseWrapper) -> None:
    """After COMMIT; once, however many statements of the transaction changed something."""
    if any(each[1] is move_mark for each in reversed(connection.run_on_commit)):
        return
    transaction.on_commit(move_mark, using=connection.alias)


def watch_all() -> None:
    """Watch the connections that are open already."""
    for connection in connections.all(initialized_only=True):
        watch(connection)

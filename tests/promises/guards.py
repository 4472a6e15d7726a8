"""Take one guard away, and see what it guarded."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from reservations.holds import scripts


@contextmanager
def scripts_without(guard: str, instead: str) -> Iterator[None]:
    """Run every Lua script with this line of it replaced, wherever it stands."""
    names = [path.stem for path in scripts.LUA.glob("*.lua")]
    before = {name: scripts.script(name).text for name in names}
    assert any(guard in text for text in before.values()), f"there is no guard {guard!r}"
    for name, text in before.items():
        scripts.script(name).use(text.replace(guard, instead))
    try:
        yield
    finally:
        for name, text in before.items():
            scripts.script(name).use(text)


@contextmanager
def table_without(constraint: str, table: str) -> Iterator[None]:
    """Take a constraint of a table away, and put it back (rows that break it are deleted)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", [constraint]
        )
        (definition,) = cursor.fetchone()
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {table}")
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {constraint} {definition}")

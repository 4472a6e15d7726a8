"""Guards of tables, taken away and put back."""

from collections.abc import Iterator

import pytest
from django.db import connection

from tests.race.fixtures import Race


@pytest.fixture
def hold_not_unique(race: Race, transactional_db: None) -> Iterator[None]:
    """A hold may be booked twice: the table's unique constraint on it is gone."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conrelid = 'reservations_booking'::regclass AND contype = 'u'"
            " AND pg_get_constraintdef(oid) = 'UNIQUE (hold)'"
        )
        name, definition = cursor.fetchone()
        cursor.execute(f'ALTER TABLE reservations_booking DROP CONSTRAINT "{name}"')
    yield
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE reservations_booking CASCADE")
        cursor.execute(f'ALTER TABLE reservations_booking ADD CONSTRAINT "{name}" {definition}')

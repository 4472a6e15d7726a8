"""The tests' own way of emptying the database: see `tests/emptying.py`."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command

from tests import emptying
from trains.models import ClassFare, FareTable, Station
from users.models import User

pytestmark = pytest.mark.django_db(transaction=True)
FIRST = (ContentType, Permission, FareTable, ClassFare)


def _first_rows() -> list[list[Any]]:
    return [list(model.objects.order_by("pk").values()) for model in FIRST]


def _few() -> None:
    User.objects.create_user("anna", "anna@example.org")


def _many() -> None:
    rows = range(emptying.FEW_ROWS + 1)
    Station.objects.bulk_create(Station(code=f"S{row}", name=str(row)) for row in rows)


@pytest.mark.parametrize("leave", [_few, _many], ids=["few", "many"])
def test_what_a_test_left_is_gone_and_the_first_rows_are_as_they_were(
    leave: Callable[[], None],
) -> None:
    before = _first_rows()
    assert all(before)
    leave()
    FareTable.objects.update(name="changed")
    Permission.objects.all().delete()
    call_command("flush", interactive=False, reset_sequences=False)
    assert _first_rows() == before
    assert not User.objects.exists()
    assert not Station.objects.exists()


def test_sequences_that_begin_again_are_refused() -> None:
    with pytest.raises(NotImplementedError):
        call_command("flush", interactive=False, reset_sequences=True)

"""`manage.py holds`, for whoever is on call."""

import io
import os

import pytest
from django.core.management import call_command

from tests.engine import Traveller
from tests.reservations.test_hold_seats import wish
from trains.models import Departure

pytestmark = pytest.mark.django_db


def table(*arguments: str) -> str:
    out = io.StringIO()
    call_command("holds", *arguments, stdout=out)
    return out.getvalue()


def test_the_table_shows_live_holds_and_filters_them(
    anna: Traveller, bela: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "COLUMNS", "80")
    mine = anna.post("reservations/lock/", wish(departure, "S1-1", "S1-2")).json()["hold"]
    other = bela.post("reservations/lock/", wish(departure, "C1-3")).json()["hold"]
    shown = table()
    assert mine in shown
    assert other in shown
    assert "S1-1, S1-2" in shown
    assert "2 live holds" in shown
    assert other not in table("--user", str(anna.user.id))
    assert "0 live holds" in table("--departure", str(departure.id + 1))

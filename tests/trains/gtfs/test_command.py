"""`manage.py import_gtfs`, as a person at a terminal sees it."""

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from config.errors import StoreUnavailable
from tests.trains.gtfs.feeds import calendar, write_feed
from trains import hooks
from trains.models import Departure, Feed, Train

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("monday_morning")]


def say(path: Path, *options: str) -> tuple[str, str]:
    """What the command writes to stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    call_command("import_gtfs", str(path), *options, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_a_feed_is_imported_and_on_sale(tmp_path: Path) -> None:
    out, err = say(write_feed(tmp_path))
    assert "feed tiny-rail: imported" in out
    assert "trains      1 (1 new)" in out
    assert "61 departures opened" in out
    assert err == ""
    assert Departure.objects.count() == 61


def test_the_second_time_it_says_unchanged(tmp_path: Path) -> None:
    say(write_feed(tmp_path))
    out, _ = say(write_feed(tmp_path))
    assert "feed tiny-rail: unchanged" in out
    assert "opened" not in out


def test_a_dry_run_reports_and_opens_nothing(tmp_path: Path) -> None:
    out, _ = say(write_feed(tmp_path), "--dry-run")
    assert "dry run, nothing was written" in out
    assert "trains      1 (1 new)" in out
    assert not Train.objects.exists()


def test_opening_can_be_left_to_the_hourly_task(tmp_path: Path) -> None:
    say(write_feed(tmp_path), "--no-open")
    assert Train.objects.exists()
    assert not Departure.objects.exists()


def test_a_feed_may_be_given_its_code(tmp_path: Path) -> None:
    out, _ = say(write_feed(tmp_path), "--feed", "my_line-2")
    assert "feed my_line-2: imported" in out
    assert Feed.objects.get().code == "my_line-2"


@pytest.mark.parametrize("code", ["", "a b", "a/b", "é", "-", "x" * 41])
def test_a_code_that_is_none_is_refused(tmp_path: Path, code: str) -> None:
    with pytest.raises(CommandError, match="--feed"):
        say(write_feed(tmp_path), f"--feed={code}")


def test_an_expired_calendar_is_shouted_and_can_be_shifted(tmp_path: Path) -> None:
    path = write_feed(tmp_path, {"calendar.txt": calendar("DAILY,1,1,1,1,1,1,1,20170501,20171231")})
    out, err = say(path)
    assert "WARNING: THE CALENDAR IS OVER" in err
    assert "0 departures opened" in out
    out, err = say(path, "--shift-calendar")
    assert "moved by" in err
    assert "61 departures opened" in out


def test_a_broken_feed_is_named_by_file_line_and_reason(tmp_path: Path) -> None:
    path = write_feed(tmp_path, {"trips.txt": "route_id,service_id,trip_id\nX,DAILY,T1"})
    with pytest.raises(CommandError, match=r"nothing was imported: trips\.txt, line 2: route_id"):
        say(path)
    with pytest.raises(CommandError, match="no zip file and no folder"):
        say(tmp_path / "nowhere.zip")


def test_a_store_that_is_away_is_said_plainly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(train_ids: object) -> set[int]:
        raise StoreUnavailable("Redis does not answer")

    say(write_feed(tmp_path))
    monkeypatch.setattr(hooks, "_keepers", [away])
    later = {"calendar.txt": calendar("DAILY,1,1,1,1,1,0,0,20200101,20991231")}
    with pytest.raises(CommandError, match="nothing was imported: Redis does not answer"):
        say(write_feed(tmp_path, later))
    assert Train.objects.get().calendars.get().weekdays == 127

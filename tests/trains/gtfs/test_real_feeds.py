"""The feeds of real railways, found through SEATLOCK_FEEDS."""

import resource
import time
from pathlib import Path
from zipfile import ZipFile

import pytest
from django.conf import settings
from django.db.models import Count, Min, Sum

from trains.gtfs.formation import LONG_DISTANCE_KM, LONG_DISTANCE_SECONDS
from trains.gtfs.import_feed import import_feed
from trains.models import Coach, Departure, Seat, Station, Stop, Train
from trains.services.open_departures import open_departures

pytestmark = [pytest.mark.django_db, pytest.mark.feeds, pytest.mark.timeout(600)]

IMPORT_SECONDS_MAX = 180
OPENING_SECONDS_MAX = 60
MEMORY_BYTES_MAX = 1 << 30


def feed_of(agency: str) -> Path:
    """The feed of this agency among those in SEATLOCK_FEEDS; skips, aloud, without it."""
    folder = settings.ENV.seatlock_feeds
    if not folder:
        pytest.skip(f"SEATLOCK_FEEDS is not set: the feed of {agency} was not imported")
    for path in sorted(Path(folder).glob("*.zip")):
        with ZipFile(path) as feed:
            if agency in feed.read("agency.txt").decode("utf-8-sig"):
                return path
    pytest.skip(f"SEATLOCK_FEEDS has no feed of {agency}")


def test_the_indian_railways_are_imported_in_time_and_memory() -> None:
    path = feed_of("Indian Railways")
    started = time.monotonic()
    report = import_feed(path=path)
    imported = time.monotonic()
    opened = open_departures()
    done = time.monotonic()
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    said = (
        f"import {imported - started:.0f} s, opening {done - imported:.0f} s, {peak_bytes:,} bytes"
    )
    assert imported - started < IMPORT_SECONDS_MAX, said
    assert done - imported < OPENING_SECONDS_MAX, said
    assert peak_bytes < MEMORY_BYTES_MAX, said

    assert report.trains.new == Train.objects.count() == 2858
    assert Stop.objects.count() > 60_000
    assert report.seats == Seat.objects.count() > 2_000_000
    assert opened == Departure.objects.count() > 100_000
    _long_trains_are_long()
    _mandovi_express_goes_to_goa()
    assert import_feed(path=path).is_unchanged


def _long_trains_are_long() -> None:
    trains = Train.objects.annotate(
        coach_count=Count("coaches"), seat_count=Sum("coaches__capacity")
    ).in_bulk()
    last = Stop.objects.filter(distance_km__gt=LONG_DISTANCE_KM) | Stop.objects.filter(
        arrival_seconds__gt=LONG_DISTANCE_SECONDS + 86_400
    )
    long = set(last.values_list("train_id", flat=True))
    assert len(long) > 2000
    assert min(trains[train].coach_count for train in long) == 14
    assert min(trains[train].seat_count for train in long) >= 900
    assert Coach.objects.values("train").annotate(n=Count("id")).aggregate(Min("n"))["n__min"] > 1


def _mandovi_express_goes_to_goa() -> None:
    train = Train.objects.get(number="10103")
    stops = list(train.stops.select_related("station").order_by("sequence"))
    assert [stops[0].station.code, stops[-1].station.code] == ["CSMT", "MAO"]
    assert stops[0].departure_seconds == 4 * 3600 + 31 * 60
    assert 500 < stops[-1].distance_km < 900
    assert Station.objects.get(code="CSMT").timezone == "Asia/Kolkata"
    assert Departure.objects.filter(train=train, status="open").count() >= 60


def test_caltrain_is_over_and_can_be_brought_back() -> None:
    path = feed_of("Caltrain")
    report = import_feed(path=path)
    assert "THE CALENDAR IS OVER" in report.warnings[0]
    assert open_departures() == 0
    assert (
        Train.objects.values_list("timezone", flat=True).distinct().get() == "America/Los_Angeles"
    )
    platforms = Station.objects.annotate(platforms=Count("feed_stops"))
    assert platforms.get(name="San Francisco Caltrain").platforms == 2

    shifted = import_feed(path=path, shift_calendar=True)
    assert shifted.shifted_days % 7 == 0
    assert open_departures() > 1000
    assert import_feed(path=path, shift_calendar=True).is_unchanged

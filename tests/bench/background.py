"""What happens behind the traveller's back: shipping facts into MongoDB, importing timetables."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from analytics.shipping.shipper import ship_pending
from config.stores.mongo import audit_database
from tests.trains.gtfs import feeds
from trains.gtfs.import_feed import import_feed

STATIONS = 50
STOPS_OF_A_TRIP = 20


def ship(seconds: float) -> dict[str, Any]:
    """Ship what the rounds left waiting: documents a second, and how they are kept."""
    started = time.monotonic()
    shipped = 0
    while (left := seconds - (time.monotonic() - started)) > 0:
        now = ship_pending(budget_seconds=left)
        if not now:
            break
        shipped += now
    took = time.monotonic() - started
    documents = {
        name: audit_database()[name].estimated_document_count()
        for name in audit_database().list_collection_names()
    }
    return {"rate": shipped / took, "shipped": shipped, "seconds": took, "documents": documents}


def import_rows(trips: int) -> dict[str, Any]:
    """Import a made-up feed of that many trips, each its own train: rows of the feed a second."""
    with TemporaryDirectory() as folder:
        path = feeds.write_feed(Path(folder), _feed(trips))
        started = time.monotonic()
        import_feed(path=path, feed_code="measured")
        took = time.monotonic() - started
    rows = STATIONS + trips * (STOPS_OF_A_TRIP + 1)
    return {"rate": rows / took, "rows": rows, "trips": trips, "seconds": took}


def _feed(trips: int) -> dict[str, str]:
    stops = "\n".join(f"M{n},Measured {n},{10 + n / 10},70.0" for n in range(STATIONS))
    lines, times = [], []
    for trip in range(trips):
        lines.append(f"R,DAILY,T{trip},{50_000 + trip}")
        first = trip % (STATIONS - STOPS_OF_A_TRIP)
        for number in range(STOPS_OF_A_TRIP):
            at = 6 * 60 + trip % 600 + number * 30
            clock = f"{at // 60:02}:{at % 60:02}:00"
            times.append(f"T{trip},{clock},{clock},M{first + number},{number + 1}")
    return {
        "stops.txt": f"stop_id,stop_name,stop_lat,stop_lon\n{stops}",
        "trips.txt": feeds.trips(*lines),
        "stop_times.txt": feeds.stop_times(*times),
    }

"""Tiny feeds for the tests: one good feed, and ways to write another beside it.

The good feed has one train, 101, every day from Alpha (08:00) by Beta to Gamma (10:00), due east
at 10 degrees north, some 110 km from stop to stop.
"""

import zipfile
from collections.abc import Mapping
from pathlib import Path

STOP_TIMES_HEADER = "trip_id,arrival_time,departure_time,stop_id,stop_sequence"

GOOD: Mapping[str, str] = {
    "agency.txt": """
        agency_id,agency_name,agency_url,agency_timezone
        T,Tiny Rail,https://tiny.example,Asia/Kolkata
    """,
    "stops.txt": """
        stop_id,stop_name,stop_lat,stop_lon
        A,Alpha,10.0,70.0
        B,Beta,10.0,71.0
        C,Gamma,10.0,72.0
    """,
    "routes.txt": """
        route_id,agency_id,route_short_name,route_long_name,route_type
        R,T,R1,Tiny Express,2
    """,
    "trips.txt": """
        route_id,service_id,trip_id,trip_short_name
        R,DAILY,T1,101
    """,
    "stop_times.txt": f"""
        {STOP_TIMES_HEADER}
        T1,08:00:00,08:00:00,A,1
        T1,09:00:00,09:05:00,B,2
        T1,10:00:00,10:00:00,C,3
    """,
    "calendar.txt": """
        service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date
        DAILY,1,1,1,1,1,1,1,20200101,20991231
    """,
}
"""File by file; indentation and blank first and last lines are not written."""


def written(text: str) -> str:
    """The text of a file as the feed has it: no indentation, one line end at the end."""
    return "\n".join(line.strip() for line in text.strip().splitlines()) + "\n"


def write_feed(
    folder: Path, changes: Mapping[str, str | bytes | None] | None = None, name: str = "feed.zip"
) -> Path:
    """A zip of the good feed with some files changed, added, or (None) left out.

    Text is written as `written` says; bytes are written as they are.
    """
    files: dict[str, str | bytes | None] = {**GOOD, **(changes or {})}
    path = folder / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as feed:
        for file, content in files.items():
            if content is not None:
                feed.writestr(file, written(content) if isinstance(content, str) else content)
    return path


def trips(*rows: str) -> str:
    return "\n".join(("route_id,service_id,trip_id,trip_short_name", *rows))


def stop_times(*rows: str, more: str = "") -> str:
    """Rows under the usual header; `more` names further columns, with a comma before each."""
    return "\n".join((STOP_TIMES_HEADER + more, *rows))


def run(trip_id: str, *times: str) -> tuple[str, ...]:
    """Rows of `stop_times.txt`: a trip from A by B to C at these times."""
    rows = zip("ABC", times, strict=False)
    return tuple(
        f"{trip_id},{time},{time},{stop},{number}"
        for number, (stop, time) in enumerate(rows, start=1)
    )


def calendar(*rows: str) -> str:
    header = GOOD["calendar.txt"].strip().splitlines()[0]
    return "\n".join((header, *rows))

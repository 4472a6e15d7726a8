"""Which journey the tour makes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.tour.doors import Api, TourFailed, manage

DEMO = ("HBC", "CRB")
# Journeys worth showing, for feeds that have both stations.
WELL_KNOWN = (("CSMT", "MAO"), ("San Francisco Caltrain", "San Jose Diridon Caltrain"))
DAYS_AHEAD = range(3, 17)  # so far ahead that cancelling gives all back


@dataclass(frozen=True)
class Stretch:
    source: str
    destination: str


def chosen(api: Api, feed: str) -> Stretch:
    """The demo's stretch, the one named `FROM:TO`, or one of the feed in a zip file."""
    if not feed:
        return Stretch(*DEMO)
    if ":" in feed:
        source, _, destination = feed.partition(":")
        return Stretch(_code(api, source.strip()), _code(api, destination.strip()))
    if Path(feed).is_file():
        manage("import_gtfs", feed, "--shift-calendar")
        for source, destination in WELL_KNOWN:
            if _stations(api, source) and _stations(api, destination):
                return Stretch(_code(api, source), _code(api, destination))
        raise TourFailed(f"name a stretch of {feed} as FEED=FROM:TO")
    raise TourFailed(f"FEED is FROM:TO or a GTFS zip file; {feed!r} is neither")


def _code(api: Api, text: str) -> str:
    """A station's code, by its code or name, best match first."""
    found = _stations(api, text)
    if not found:
        raise TourFailed(f"there is no station {text!r}: import its feed first")
    return str(found[0]["code"])


def _stations(api: Api, text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get("stations/", q=text, limit=1)["results"]
    return found

"""What a traveller asks for on the search form, read from the query string."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from urllib.parse import urlencode

from django.conf import settings
from django.utils.translation import gettext as _

from config import clock
from trains.classes import CLASSES
from trains.models import Station
from trains.sale import local_date
from web.search.places import NOBODY, Meant, find_station, label_of

SORTS: Final = ("departure", "arrival", "duration", "fare", "free")
TIMES: Final = ("early", "morning", "afternoon", "night")
"""Parts of the day: before 6, to 12, to 18, and after."""


@dataclass(frozen=True)
class Asked:
    """The form's values as they are shown again, what they mean, and what does not fit."""

    source: str = ""
    destination: str = ""
    day: date | None = None
    travel_class: str = ""
    seats: int = 1
    sort: str = "departure"
    time: str = ""
    only_free: bool = False
    meant_source: Meant = NOBODY
    meant_destination: Meant = NOBODY
    errors: Mapping[str, str] | None = None

    @property
    def stations(self) -> tuple[Station, Station] | None:
        """Both stations, if the form can be searched with."""
        a, b = self.meant_source.station, self.meant_destination.station
        return None if self.errors or a is None or b is None else (a, b)

    @property
    def is_first(self) -> bool:
        """Whether this is a question of its own, not the same one in another order."""
        return self.sort == SORTS[0] and not self.time and not self.only_free

    def query(self, **changes: str) -> str:
        """The same question as a query string, with changes."""
        said = {
            "from": self.source,
            "to": self.destination,
            "date": self.day.isoformat() if self.day else "",
            "class": self.travel_class,
            "seats": str(self.seats),
            "sort": self.sort,
            "time": self.time,
            "free": "1" if self.only_free else "",
        } | changes
        return urlencode({name: value for name, value in said.items() if value})


def read_asked(query: Mapping[str, str]) -> Asked:
    """The question in a query string; wrong values are named in `errors`, in words."""
    source, destination = query.get("from", ""), query.get("to", "")
    meant_source, meant_destination = find_station(source), find_station(destination)
    errors = _unknown("from", source, meant_source) | _unknown("to", destination, meant_destination)
    start, end = meant_source.station, meant_destination.station
    if start is not None and start == end:
        errors["to"] = _("Choose two different stations.")
    today = local_date(clock.now(), start.timezone if start else settings.TIME_ZONE)
    wanted = _day(query.get("date", ""))
    if query.get("date") and wanted is None:
        errors["date"] = _("Choose a date.")
    return Asked(
        source=label_of(start) if start else source,
        destination=label_of(end) if end else destination,
        day=wanted or today + timedelta(days=1),
        travel_class=_one_of(query.get("class", ""), CLASSES),
        seats=read_party(query.get("seats", "")),
        sort=_one_of(query.get("sort", ""), SORTS) or "departure",
        time=_one_of(query.get("time", ""), TIMES),
        only_free=query.get("free") == "1",
        meant_source=meant_source,
        meant_destination=meant_destination,
        errors=errors,
    )


def _unknown(name: str, text: str, meant: Meant) -> dict[str, str]:
    if meant.station is not None:
        return {}
    if not text.strip():
        return {name: _("Type a station.")}
    return {name: _("We know no station “%(text)s”.") % {"text": text.strip()[:40]}}


def _day(text: str) -> date | None:
    """A day that one can count on from: not at the ends of the calendar."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 2000 <= found.year < 2200 else None


def _one_of(text: str, known: object) -> str:
    return text if text in known else ""  # type: ignore[operator]  # a tuple or a dict


def read_party(text: str) -> int:
    """How many travel: from 1 to what one hold may have, whatever was said."""
    most: int = settings.ENV.hold_max_seats
    return min(int(text), most) if text.isascii() and text.isdigit() and 0 < len(text) < 3 else 1

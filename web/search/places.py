"""From what somebody typed to a station."""

import re
from dataclasses import dataclass
from typing import Final

from trains.models import Station
from trains.services.search_stations import search_stations

CHOICES_MAX: Final = 8
TEXT_MAX: Final = 80
_CODE: Final = re.compile(r"\(([^()]{1,40})\)\s*$")


@dataclass(frozen=True)
class Meant:
    """The station somebody most likely meant, and others it may have been."""

    station: Station | None
    others: tuple[Station, ...] = ()


NOBODY: Final = Meant(None)


def label_of(station: Station) -> str:
    """What the search field shows, and understands: `Madgaon (MAO)`."""
    return f"{station.name} ({station.code})"


def find_station(text: str) -> Meant:
    """The best match of a code, a name or a part of one; nobody meant for no match."""
    wanted = text.strip()[:TEXT_MAX]
    if not wanted:
        return NOBODY
    if in_brackets := _CODE.search(wanted):
        by_code = Station.objects.filter(code__iexact=in_brackets[1].strip()).first()
        if by_code is not None:
            return Meant(by_code)
    found = tuple(search_stations(text=wanted)[:CHOICES_MAX])
    if not found:
        return NOBODY
    best, *others = found
    is_exact = wanted.casefold() in {best.code.casefold(), best.name.casefold()}
    return Meant(best, () if is_exact else tuple(others))


def suggest(text: str) -> list[Station]:
    """Stations to offer while somebody types."""
    return list(search_stations(text=text[:TEXT_MAX])[:CHOICES_MAX])

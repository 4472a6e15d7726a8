"""Find stations as people name them: by code, by name, or by a name that is to become one."""

import re
import unicodedata
from collections.abc import Sequence

from django.conf import settings
from django.db.models import Q

from config.errors import Invalid
from trains.models import Station

CODE_LENGTH = 12
_CODES_TRIED = 1_000


def find_stations(codes: Sequence[str]) -> list[Station]:
    """The stations of these codes, in their order; case does not matter where codes agree.

    Raises `Invalid` naming each stop (`stops.2.station`) whose code is unknown. One query.
    """
    folded = {code.upper() for code in codes}
    found = Station.objects.filter(Q(code__in=codes) | Q(code__in=folded))
    by_code = {station.code: station for station in found}
    chosen = [by_code.get(code) or by_code.get(code.upper()) for code in codes]
    wrong = {
        f"stops.{index}.station": [f"There is no station {code}."]
        for index, (code, station) in enumerate(zip(codes, chosen, strict=True))
        if station is None
    }
    if wrong:
        raise Invalid(wrong)
    return [station for station in chosen if station is not None]


def find_or_make_station(*, field: str, called: str) -> Station:
    """The station with this code or else this name; none has it: a new one of this name.

    `field` is blamed in `Invalid` when several stations share the name, or when it holds no
    letter or digit.
    """
    by_code = Station.objects.filter(code__in={called, called.upper()}).order_by("code")
    exact = [station for station in by_code if station.code == called]
    if by_code:
        return (exact or list(by_code))[0]
    named = list(Station.objects.filter(name__iexact=called)[:2])
    if len(named) > 1:
        raise Invalid({field: [f"Several stations are called {called}: give a code."]})
    return named[0] if named else _make_station(field=field, name=called)


def _make_station(*, field: str, name: str) -> Station:
    """A new station with a code made from its name: `NEWDELHI`, or `NEWDELHI2` if that is taken."""
    if not any(character.isalnum() for character in name):
        raise Invalid({field: ["A station's name needs a letter or a digit."]})
    stem = code_from_name(name)
    for attempt in range(1, _CODES_TRIED):
        code = stem if attempt == 1 else f"{stem}{attempt}"
        station, _ = Station.objects.get_or_create(
            code=code, defaults={"name": name, "timezone": settings.TIME_ZONE}
        )
        # Found rather than made: somebody was quicker, with this name or with another.
        if station.name.casefold() == name.casefold():
            return station
    raise Invalid({field: ["No code is left for this name: give a code."]})


def code_from_name(name: str) -> str:
    """Letters and digits of a name in upper case, without accents: `Besançon` is `BESANCON`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]", "", plain).upper()[:CODE_LENGTH] or "STATION"

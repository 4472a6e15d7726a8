"""Numbers and days out of a query string, bounded, so that no database sees one it cannot hold."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

from config.errors import Invalid
from config.http.body import INT64_MAX

# Characters; what is made of a longer query string is made for each call anew.
QUERY_REMEMBERED: Final = 256

# ISO 8601 has other ways (weeks, no dashes), which Python reads too and nobody means.
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def whole_number(
    query: Mapping[str, str],
    name: str,
    *,
    default: int,
    minimum: int = 0,
    maximum: int = INT64_MAX,
) -> int:
    """The parameter as a number, or `default` when it is absent. Raises `Invalid`."""
    text = query.get(name, "")
    if not text:
        return default
    # 20 characters hold every 64-bit number; longer ones are not even parsed.
    if len(text) > 20 or not (text.isascii() and text.removeprefix("-").isdigit()):
        raise Invalid({name: ["A whole number is needed."]})
    number = int(text)
    if not minimum <= number <= maximum:
        raise Invalid({name: [f"Must be between {minimum} and {maximum}."]})
    return number


def day(query: Mapping[str, str], name: str) -> date | None:
    """The parameter as a day (`2026-11-21`), or None when it is absent. Raises `Invalid`."""
    text = query.get(name, "").strip()
    if not text:
        return None
    if not _DAY.fullmatch(text):
        raise Invalid({name: ["Write a day as YYYY-MM-DD."]})
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid({name: ["There is no such day."]}) from None

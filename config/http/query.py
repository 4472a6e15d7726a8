"""Whole numbers out of a query string, bounded, so that no database sees one it cannot hold."""

from collections.abc import Mapping

from config.errors import Invalid
from config.http.body import INT64_MAX


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

"""Lists by `limit` and `offset`: `{"count", "next", "previous", "results"}`.

DRF views get `Pages` by default; plain views use `read_window` and `envelope`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qs, urlencode

from django.http import HttpRequest
from django.utils.encoding import escape_uri_path, iri_to_uri
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request

from config.http.query import QUERY_REMEMBERED, whole_number

DEFAULT_LIMIT: Final = 20
MAX_LIMIT: Final = 100
ADDRESSES_REMEMBERED: Final = 4096


@dataclass(frozen=True, slots=True)
class Window:
    """The rows [offset, offset + limit) of a list; `limit` is 1 to 100."""

    limit: int
    offset: int


def read_window(query: Mapping[str, str]) -> Window:
    """What part of a list is asked for. More than 100 rows are answered with 100.

    Raises `Invalid` for what is not a whole number of rows.
    """
    limit = whole_number(query, "limit", default=DEFAULT_LIMIT, minimum=1)
    return Window(limit=min(limit, MAX_LIMIT), offset=whole_number(query, "offset", default=0))


def envelope(
    request: HttpRequest, *, window: Window, count: int, results: Sequence[Any]
) -> dict[str, Any]:
    """The answer of a list call; `next` and `previous` are whole addresses or None."""

    def at(offset: int) -> str:
        server = f"{request.scheme}://{request.get_host()}"
        asked = request.META.get("QUERY_STRING") or ""
        make = _address if len(asked) <= QUERY_REMEMBERED else _address.__wrapped__
        return make(server, request.path, asked, window.limit, offset)

    after = window.offset + window.limit
    return {
        "count": count,
        "next": at(after) if after < count else None,
        "previous": at(max(window.offset - window.limit, 0)) if window.offset else None,
        "results": results,
    }


@lru_cache(maxsize=ADDRESSES_REMEMBERED)
def _address(server: str, path: str, asked: str, limit: int, offset: int) -> str:
    """The same call for other rows; `asked` is its query string."""
    query = parse_qs(iri_to_uri(asked) or "", keep_blank_values=True)
    replaced = {**query, "limit": [str(limit)], "offset": [str(offset)]}
    return f"{server}{escape_uri_path(path)}?{urlencode(sorted(replaced.items()), doseq=True)}"


class Pages(LimitOffsetPagination):
    """DRF's `DEFAULT_PAGINATION_CLASS`. Wrong numbers are refused instead of ignored."""

    default_limit = DEFAULT_LIMIT
    max_limit = MAX_LIMIT
    template = None

    def get_limit(self, request: Request) -> int:
        return read_window(request.query_params).limit

    def get_offset(self, request: Request) -> int:
        return read_window(request.query_params).offset

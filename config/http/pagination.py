"""Lists by `limit` and `offset`: `{"count", "next", "previous", "results"}`.

DRF views get `Pages` by default; plain views use `read_window` and `envelope`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from django.http import HttpRequest
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request

from config.http.query import whole_number

DEFAULT_LIMIT: Final = 20
MAX_LIMIT: Final = 100


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
    here = urlsplit(request.build_absolute_uri())
    query = parse_qs(here.query, keep_blank_values=True)

    def at(offset: int) -> str:
        replaced = {**query, "limit": [str(window.limit)], "offset": [str(offset)]}
        told = urlencode(sorted(replaced.items()), doseq=True)
        return urlunsplit((here.scheme, here.netloc, here.path, told, here.fragment))

    after = window.offset + window.limit
    return {
        "count": count,
        "next": at(after) if after < count else None,
        "previous": at(max(window.offset - window.limit, 0)) if window.offset else None,
        "results": results,
    }


class Pages(LimitOffsetPagination):
    """DRF's `DEFAULT_PAGINATION_CLASS`. Wrong numbers are refused instead of ignored."""

    default_limit = DEFAULT_LIMIT
    max_limit = MAX_LIMIT
    template = None

    def get_limit(self, request: Request) -> int:
        return read_window(request.query_params).limit

    def get_offset(self, request: Request) -> int:
        return read_window(request.query_params).offset

"""Lists: `limit` and `offset`, refused when they are no numbers."""

from typing import Any

import pytest
from django.test import RequestFactory
from rest_framework.request import Request

from config.errors import Invalid
from config.http.pagination import Pages, Window, envelope, read_window

NUMBERS = list(range(45))


def page(query: str) -> dict[str, Any]:
    pages = Pages()
    request = Request(RequestFactory().get(f"/list/?{query}"))
    rows = pages.paginate_queryset(NUMBERS, request)
    answer: dict[str, Any] = pages.get_paginated_response(rows).data
    return answer


def plain(query: str) -> dict[str, Any]:
    request = RequestFactory().get(f"/list/?{query}")
    window = read_window(request.GET)
    rows = NUMBERS[window.offset : window.offset + window.limit]
    return envelope(request, window=window, count=len(NUMBERS), results=rows)


@pytest.mark.parametrize(
    ("query", "rows", "following", "previous"),
    [
        ("", NUMBERS[:20], "limit=20&offset=20", None),
        ("limit=10&offset=20", NUMBERS[20:30], "limit=10&offset=30", "limit=10&offset=10"),
        ("limit=100", NUMBERS, None, None),
        ("limit=1000", NUMBERS, None, None),
        ("offset=40", NUMBERS[40:], None, "limit=20&offset=20"),
        ("offset=45", [], None, "limit=20&offset=25"),
    ],
)
def test_plain_and_drf_lists_are_alike(
    query: str, rows: list[int], following: str | None, previous: str | None
) -> None:
    for answer in (page(query), plain(query)):
        assert list(answer) == ["count", "next", "previous", "results"]
        assert (answer["count"], answer["results"]) == (45, rows)
        for name, expected in (("next", following), ("previous", previous)):
            assert (answer[name] is None) == (expected is None)
            if expected is not None:
                assert answer[name] == f"http://testserver/list/?{expected}"


@pytest.mark.parametrize(
    "query",
    ["limit=x", "limit=0", "limit=-1", "limit=1.5", "offset=-1", "offset=x",
     "offset=99999999999999999999", "limit=" + "9" * 5000, "limit=%D9%A1", "offset=1e3"],
)  # fmt: skip
def test_what_is_no_number_of_rows_is_invalid(query: str) -> None:
    for lists in (page, plain):
        with pytest.raises(Invalid):
            lists(query)


def test_at_most_a_hundred_rows() -> None:
    assert read_window({"limit": "5000", "offset": "7"}) == Window(limit=100, offset=7)

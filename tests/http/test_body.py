"""Bad input at the door: its own problem each, never a 500, for plain and for DRF views."""

import json
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
import pytest
from django.conf import settings as django_settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import Client, RequestFactory
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.http.body import DoorMiddleware, read_json
from config.http.problems import explain, render


class Wanted(msgspec.Struct):
    name: str
    number: int = 0
    seats: list[Annotated[str, msgspec.Meta(max_length=10)]] = []


_decoder = msgspec.json.Decoder(Wanted)


def plain(request: HttpRequest) -> HttpResponse:
    try:
        return JsonResponse(msgspec.to_builtins(read_json(request, _decoder)))
    except Exception as error:  # noqa: BLE001  # as the middleware of problems does
        return render(explain(error))


class DrfView(APIView):
    permission_classes = (AllowAny,)
    throttle_classes = ()

    def post(self, request: Request) -> Response:
        return Response(request.data)


drf: Callable[[HttpRequest], HttpResponse] = DrfView.as_view()
both = pytest.mark.parametrize("view", [plain, drf], ids=["plain", "drf"])


def send(
    view: Callable[[HttpRequest], HttpResponse], body: bytes, content_type: str = "application/json"
) -> tuple[int, dict[str, Any]]:
    request = RequestFactory().post("/", body, content_type=content_type)
    response = DoorMiddleware(view)(request)
    if hasattr(response, "render"):
        response.render()
    return response.status_code, json.loads(response.content)


@both
@pytest.mark.parametrize(
    "body",
    [
        b"{", b"nonsense", b'{"name": NaN}', b'{"name": "\xff"}', b'{"name": "\\ud800"}', b"[]",
        b'"x"', b"null", b'{"name": "a\\u0000b"}', b'{"na\\u0000me": "a"}', b'{"name": "a\x00"}',
        b'{"name": "x", "number": 9223372036854775808}',
        b'{"name": "x", "number": -9223372036854775809}',
        b'{"name": "x", "number": 1' + b"0" * 5000 + b"}",
        b'{"name": "x", "number": 1e400}',
        b'{"name": "x", "other": 99999999999999999999}',
        b'{"other": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"other": ' + b'{"a":' * 20_000 + b"1" + b"}" * 20_000 + b"}",
        b"\xef\xbb\xbf{}", b'{"name": "x"} x',
    ],
    ids=lambda body: body[:30],
)  # fmt: skip
def test_a_body_that_cannot_be_kept_is_invalid(
    view: Callable[[HttpRequest], HttpResponse], body: bytes
) -> None:
    status, document = send(view, body)
    assert (status, document["code"]) == (400, "invalid")
    assert document["errors"]


@both
@pytest.mark.parametrize(
    "body",
    [b'{"name": "x", "number": 9223372036854775807, "seats": ["S1-1"]}',
     b'{"name": "a \\\\u0000 b", "number": -9223372036854775808, "seats": []}'],
)  # fmt: skip
def test_what_only_looks_odd_passes(
    view: Callable[[HttpRequest], HttpResponse], body: bytes
) -> None:
    assert send(view, body) == (200, json.loads(body))


@both
@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_another_type_than_json_is_refused(
    view: Callable[[HttpRequest], HttpResponse], content_type: str
) -> None:
    status, document = send(view, b'{"name": "x"}', content_type)
    assert (status, document["code"]) == (415, "unsupported-media-type")


@both
def test_a_charset_in_the_type_is_fine(view: Callable[[HttpRequest], HttpResponse]) -> None:
    assert send(view, b'{"name": "x"}', "application/json; charset=utf-8")[0] == 200


@both
def test_a_huge_body_is_refused_unread(view: Callable[[HttpRequest], HttpResponse]) -> None:
    body = b'{"name": "' + b"x" * django_settings.ENV.max_body_bytes + b'"}'
    status, document = send(view, body)
    assert (status, document["code"]) == (413, "too-large")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "name"), (b"{}", "name"), (b'{"name": 1}', "name"),
        (b'{"name": "x", "number": "1"}', "number"), (b'{"name": "x", "number": 1.5}', "number"),
        (b'{"name": "x", "number": true}', "number"), (b'{"name": "x", "number": null}', "number"),
        (b'{"name": "x", "seats": ["a", 2]}', "seats.1"),
        (b'{"name": "x", "seats": ["12345678901"]}', "seats.0"),
        (b'{"name": "x", "seats": {}}', "seats"),
    ],
)  # fmt: skip
def test_a_plain_view_names_the_wrong_field(body: bytes, field: str) -> None:
    status, document = send(plain, body)
    assert (status, document["code"]) == (400, "invalid")
    assert list(document["errors"]) == [field]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/api/v1/stations/?q=%00", "/api/v1/stations/?q=a%00b&x=1", "/api/v1/auth/%00/"]
)
def test_nul_in_path_and_query_is_refused(path: str) -> None:
    response = Client(headers={"host": "localhost"}).get(path)
    assert (response.status_code, response.json()["code"]) == (400, "invalid")


def test_too_many_parameters_are_invalid() -> None:
    def view(request: HttpRequest) -> HttpResponse:
        try:
            return JsonResponse({"count": len(request.GET)})
        except Exception as error:  # noqa: BLE001
            return render(explain(error))

    query = "&".join(f"a{n}=1" for n in range(2000))
    assert view(RequestFactory().get(f"/?{query}")).status_code == 400


def test_a_wrong_host_is_invalid() -> None:
    response = Client(headers={"host": "evil.example"}).get("/api/v1/auth/me/")
    assert (response.status_code, response.json()["code"]) == (400, "invalid")


def test_an_unknown_address_is_a_problem_too() -> None:
    response = Client(headers={"host": "localhost"}).get("/api/v1/nothing-here/")
    assert (response.status_code, response.json()["code"]) == (404, "not-found")

"""Whatever a view raises becomes the problem it is, with the headers that belong to it."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, TooManyFieldsSent
from django.db import DataError, InterfaceError, OperationalError, connection
from django.http import Http404
from redis.exceptions import ConnectionError as RedisAway
from rest_framework import exceptions as drf

from config.errors import Invalid, NotAuthenticated, Throttled
from config.http.problems import explain, render
from tests.users.api import code_of


@pytest.mark.parametrize(
    ("raised", "answer"),
    [
        (Invalid({"a": ["b"]}), (400, "invalid")),
        (drf.ParseError(), (400, "invalid")),
        (TooManyFieldsSent(), (400, "invalid")),
        (DataError("out of range"), (400, "invalid")),
        (drf.NotAuthenticated(), (401, "not-authenticated")),
        (PermissionDenied(), (403, "forbidden")),
        (drf.PermissionDenied(), (403, "forbidden")),
        (Http404(), (404, "not-found")),
        (drf.MethodNotAllowed("PUT"), (405, "method-not-allowed")),
        (RequestDataTooBig(), (413, "too-large")),
        (drf.UnsupportedMediaType("text/plain"), (415, "unsupported-media-type")),
        (OperationalError(), (503, "unavailable")),
        (InterfaceError(), (503, "unavailable")),
        (RedisAway(), (503, "unavailable")),
        (ZeroDivisionError(), (500, "internal")),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_an_error_has_one_code(raised: Exception, answer: tuple[int, str]) -> None:
    assert code_of(render(explain(raised))) == answer


@pytest.mark.parametrize(
    ("raised", "header", "value"),
    [
        (Throttled(7), "Retry-After", "7"),
        (OperationalError(), "Retry-After", "2"),
        (NotAuthenticated(), "WWW-Authenticate", "Bearer"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_headers_that_belong_to_it(raised: Exception, header: str, value: str) -> None:
    assert render(explain(raised)).headers[header] == value


def test_what_nobody_foresaw_tells_the_client_nothing() -> None:
    response = render(explain(ZeroDivisionError("the secret")))
    assert b"secret" not in response.content


@pytest.mark.django_db
def test_a_value_postgresql_cannot_hold_is_invalid() -> None:
    def ask(value: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s::bigint", [value])

    with pytest.raises(DataError) as wrong:
        ask(str(2**70))
    assert code_of(render(explain(wrong.value))) == (400, "invalid")


def test_messages_of_nested_fields_have_flat_paths() -> None:
    nested = drf.ValidationError({"stops": [{}, {"station": ["Unknown."]}], "name": ["Missing."]})
    error = explain(nested)
    assert error.data["errors"] == {"stops.1.station": ["Unknown."], "name": ["Missing."]}

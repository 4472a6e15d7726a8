"""Large answers are compressed; short ones and secrets are not."""

import gzip

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from config.http.compression import LargeAnswersGZipMiddleware

LARGE = b'{"seats": "' + b"free " * 1000 + b'"}'


def answered(path: str, body: bytes, accept: str = "gzip, br") -> HttpResponse:
    def view(request: HttpRequest) -> HttpResponse:
        del request
        return HttpResponse(body, content_type="application/json")

    request = RequestFactory().get(path, headers={"accept-encoding": accept})
    response = LargeAnswersGZipMiddleware(view)(request)
    assert isinstance(response, HttpResponse)
    return response


def test_a_large_answer_is_compressed() -> None:
    response = answered("/api/v1/departures/1/seats/", LARGE)
    assert response.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in response.headers["Vary"]
    assert gzip.decompress(response.content) == LARGE
    assert len(response.content) < len(LARGE) / 5


@pytest.mark.parametrize(
    ("path", "body", "accept"),
    [
        ("/api/v1/reservations/lock/", LARGE[:1000], "gzip"),
        ("/api/v1/auth/login/", LARGE, "gzip"),
        ("/admin/", LARGE, "gzip"),
        ("/api/v1/stations/", LARGE, "identity"),
    ],
)
def test_short_or_secret_answers_are_left_alone(path: str, body: bytes, accept: str) -> None:
    response = answered(path, body, accept)
    assert "Content-Encoding" not in response.headers
    assert response.content == body

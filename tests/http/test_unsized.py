"""A body without a length is read like any other, or refused, but never taken for none."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory

from config.http.unsized import Application, with_lengths

pytestmark = pytest.mark.django_db(transaction=True)


class Dribble(io.BytesIO):
    """A socket that gives a few bytes at a time."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(7, size) if size is not None and size >= 0 else 7)


def sent(application: Application, body: bytes, *, is_terminated: bool = True) -> tuple[int, Any]:
    """POST a body as a server gives one that came in chunks."""
    environ = RequestFactory(headers={"host": "localhost"}).post(
        "/api/v1/auth/login/", content_type="application/json"
    ).environ  # fmt: skip
    environ.pop("CONTENT_LENGTH", None)
    environ |= {"wsgi.input": Dribble(body), "wsgi.input_terminated": is_terminated}
    seen: list[str] = []
    start: Callable[..., None] = lambda status, headers: seen.append(status)  # noqa: ARG005, E731
    answer = b"".join(application(environ, start))
    return int(seen[0].split()[0]), json.loads(answer)


def test_a_body_in_chunks_is_read() -> None:
    body = json.dumps({"username": "nobody", "password": "x"}).encode()
    status, document = sent(with_lengths(WSGIHandler()), body)
    assert (status, document["code"]) == (401, "not-authenticated")


def test_without_the_reader_the_body_would_be_lost() -> None:
    body = json.dumps({"username": "nobody", "password": "x"}).encode()
    status, document = sent(WSGIHandler(), body)
    assert (status, list(document["errors"])) == (400, ["username", "password"])


def test_a_huge_body_in_chunks_is_refused_after_the_limit() -> None:
    status, document = sent(
        with_lengths(WSGIHandler()), b"x" * (django_settings.ENV.max_body_bytes * 3)
    )
    assert (status, document["code"]) == (413, "too-large")


def test_a_server_whose_input_may_hang_is_not_read() -> None:
    status, document = sent(with_lengths(WSGIHandler()), b"{}", is_terminated=False)
    assert (status, document["code"]) == (400, "invalid")

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
from tests.engine import Traveller
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)


class Dribble(io.BytesIO):
    """A socket that gives a few bytes at a time."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(7, size) if size is not None and size >= 0 else 7)


def sent(
    application: Application, body: bytes, *, is_terminated: bool = True, **more: str
) -> tuple[int, Any]:
    """POST a body as a server gives one that came in chunks."""
    environ = RequestFactory(headers={"host": "localhost"}).post(
        "/api/v1/auth/login/", content_type="application/json"
    ).environ  # fmt: skip
    environ.pop("CONTENT_LENGTH", None)
    environ |= {"wsgi.input": Dribble(body), "wsgi.input_terminated": is_terminated} | more
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


def test_a_body_whose_chunks_broke_off_is_refused() -> None:
    """Granian gives it like one that has ended; an empty body would mean: all of it."""
    status, document = sent(with_lengths(WSGIHandler()), b"", HTTP_TRANSFER_ENCODING="chunked")
    assert (status, document["errors"]) == (
        400,
        {"body": ["It broke off on its way. Send it again."]},
    )


def test_a_body_shorter_than_it_said_is_refused(anna: Traveller, departure: Departure) -> None:
    """A connection that broke before `{"seats": […]}` arrived must not cancel the whole booking."""
    wish = {"departure": departure.pk, "source": "AAA", "destination": "CCC", "count": 2}
    hold = anna.post("reservations/lock/", wish).json()["hold"]
    pnr = anna.post("reservations/confirm/", {"hold": hold}).json()["pnr"]
    environ = (
        RequestFactory(headers={"host": "localhost", "Authorization": f"Bearer {anna.access}"})
        .post(f"/api/v1/reservations/bookings/{pnr}/cancel/", content_type="application/json")
        .environ
    )
    environ |= {"wsgi.input": io.BytesIO(b""), "CONTENT_LENGTH": "19"}
    seen: list[str] = []
    start: Callable[..., None] = lambda status, headers: seen.append(status)  # noqa: ARG005, E731
    answer = json.loads(b"".join(with_lengths(WSGIHandler())(environ, start)))
    assert (seen[0][:3], answer["code"]) == ("400", "invalid")
    assert anna.get(f"reservations/bookings/{pnr}/").json()["status"] == "confirmed"

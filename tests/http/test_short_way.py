"""The short way and the long way give the same answers; what is odd goes the long way alone."""

import gzip
import io
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory

from config.http import metrics, request_log
from config.http.request_stream import LoggedRequest
from config.http.short_way import ShortWay
from config.http.unsized import with_lengths
from tests.engine import Traveller
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)

JUDGED = [
    "config.http.metrics.MetricsMiddleware",
    "config.http.cors.OriginMiddleware",
    "config.http.request_log.RequestLogMiddleware",
    "config.http.api_answers.ApiAnswersMiddleware",
    "config.http.hurry.HurryMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "config.http.body.DoorMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.http.compression.LargeAnswersGZipMiddleware",
    "config.http.cookies.PagePolicyMiddleware",
    "config.http.cookies.PageSessionMiddleware",
    "config.http.cookies.PageLocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "config.http.cookies.PageCsrfMiddleware",
    "config.http.cookies.PageAuthenticationMiddleware",
    "config.http.cookies.PageMessageMiddleware",
    "config.http.cookies.PageFrameMiddleware",
    "config.http.problems.ProblemMiddleware",
]


@dataclass
class Answer:
    status: str
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        """Its JSON without what differs between any two answers."""
        packed = self.headers.get("content-encoding") == "gzip"
        document = json.loads(gzip.decompress(self.body) if packed else self.body or b"null")
        if isinstance(document, dict):
            document.pop("as_of", None)
        return document


@dataclass
class Ways:
    """Both ways over one handler; `long_calls` counts who came the long way."""

    long_calls: int = 0
    logged: list[LoggedRequest] = field(default_factory=list)

    def __post_init__(self) -> None:
        handler = with_lengths(WSGIHandler())

        def long_way(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            self.long_calls += 1
            return handler(environ, start)

        self._long_way = long_way
        self._short_way = ShortWay(long_way)

    def long(self, environ: dict[str, Any]) -> Answer:
        return self._call(self._long_way, environ)

    def short(self, environ: dict[str, Any]) -> Answer:
        return self._call(self._short_way, environ)

    @staticmethod
    def _call(application: Any, environ: dict[str, Any]) -> Answer:
        started: list[Any] = []
        environ = {**environ, "wsgi.input": io.BytesIO(environ["wsgi.input"])}
        answer = application(environ, lambda status, headers: started.extend((status, headers)))
        body = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        assert len({name.lower() for name, _ in started[1]}) == len(started[1])
        return Answer(started[0], {name.lower(): text for name, text in started[1]}, body)


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> Ways:
    both = Ways()
    monkeypatch.setattr(request_log.STREAM, "put", both.logged.append)
    monkeypatch.setattr(django_settings.ENV, "throttles", "off")
    return both


def request(
    method: str, path: str, body: bytes | Mapping[str, Any] = b"", **more: str
) -> dict[str, Any]:
    """The environ of a request to this server, as a web server makes it."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    made = RequestFactory(headers={"host": "localhost"}).generic(
        method, f"/api/v1/{path}", data, content_type="application/json"
    )
    return {**made.environ, "wsgi.input": data, "wsgi.input_terminated": True, **more}


def token(who: Traveller) -> dict[str, str]:
    return {"HTTP_AUTHORIZATION": f"Bearer {who.access}"}


GZIP = {"HTTP_ACCEPT_ENCODING": "gzip, br"}
SEARCH = "departures/search/?source=AAA&destination=CCC&date={day}"
CALLS: list[tuple[str, str, bytes | dict[str, Any], dict[str, str]]] = [
    ("GET", "departures/{id}/seats/", b"", {}),
    ("GET", "departures/{id}/seats/?source=BBB&destination=DDD", b"", GZIP),
    ("GET", "departures/{id}/seats/?source=ZZZ", b"", {}),
    ("GET", "departures/{id}/", b"", GZIP),
    ("GET", "departures/987654/seats/", b"", {}),
    ("GET", SEARCH, b"", {}),
    ("GET", SEARCH + "&limit=500", b"", {}),
    ("GET", "departures/search/", b"", {}),
    ("GET", "reservations/holds/", b"", {"HTTP_AUTHORIZATION": ""}),
    ("GET", "reservations/holds/", b"", {"HTTP_AUTHORIZATION": "Bearer nonsense"}),
    ("GET", "reservations/holds/?limit=3", b"", {}),
    ("GET", "reservations/bookings/", b"", GZIP),
    ("GET", "reservations/bookings/NOPNR1/", b"", {}),
    ("POST", "reservations/lock/", {}, {}),
    ("POST", "reservations/lock/", {"departure": 1, "source": "A", "destination": "B", "x": 1}, {}),
    ("POST", "reservations/lock/", {"departure": 987654, "source": "A", "destination": "B"}, {}),
    ("POST", "reservations/lock/", b'{"departure": ', {}),
    ("POST", "reservations/lock/", b"{}", {"CONTENT_TYPE": "text/plain"}),
    ("POST", "reservations/lock/", b"{}", {"HTTP_IDEMPOTENCY_KEY": "a b,c"}),
    ("POST", "reservations/confirm/", {"hold": "A" * 40}, {}),
    ("POST", "reservations/confirm/", {"hold": "A" * 40}, {"HTTP_AUTHORIZATION": ""}),
    ("POST", "reservations/holds/nothing/extend/", b"", {"CONTENT_LENGTH": "0"}),
    ("GET", "departures/{id}/seats/?source=Z%C3%BCrich&source=%FF", b"", {}),
    ("GET", "departures/{id}/seats/?source=ZZZ&more=" + "y" * 300, b"", {}),
]  # fmt: skip


@pytest.mark.parametrize("call", CALLS, ids=[f"{n}-{c[0]}-{c[1]}" for n, c in enumerate(CALLS)])
def test_both_ways_answer_alike(
    call: tuple[str, str, bytes | dict[str, Any], dict[str, str]],
    ways: Ways,
    departure: Departure,
    anna: Traveller,
) -> None:
    method, path, body, more = call
    path = path.format(id=departure.pk, day=departure.service_date)
    environ = request(method, path, body, **token(anna) | more)
    by_long = ways.long(environ)
    by_short = ways.short(environ)
    assert ways.long_calls == 1, "the second came the short way"
    # Django's compression adds a random number of bytes, so that lengths tell nothing.
    lengths = [each.headers.pop("content-length") for each in (by_long, by_short)]
    assert lengths == [str(len(by_long.body)), str(len(by_short.body))]
    assert (by_short.status, by_short.headers) == (by_long.status, by_long.headers)
    assert by_short.document == by_long.document
    first, second = (each._replace(started_at=0, duration_ms=0) for each in ways.logged)
    assert first == second


def test_what_is_taken_the_short_way_is_taken(
    ways: Ways, departure: Departure, anna: Traveller
) -> None:
    """Lock and confirm each way: the answers have the same headers and the same fields."""
    stretch = {"departure": departure.pk, "source": "AAA", "destination": "CCC"}
    held, booked = [], []
    for way, seat in ((ways.long, "S1-1"), (ways.short, "S1-2")):
        held.append(way(request("POST", "reservations/lock/", stretch | {"seats": [seat]},
                                **token(anna))))  # fmt: skip
        hold = {"hold": held[-1].document["hold"]}
        booked.append(way(request("POST", "reservations/confirm/", hold, **token(anna))))
    for by_long, by_short in (held, booked):
        assert (by_long.status, by_short.status) == ("201 Created", "201 Created")
        assert by_long.headers.keys() == by_short.headers.keys()
        assert by_long.document.keys() == by_short.document.keys()
    taken = {seat["seat"]: seat["status"] for seat in _map(ways, departure)["seats"]}
    assert (taken["S1-1"], taken["S1-2"]) == ("sold", "sold")


def _map(ways: Ways, departure: Departure) -> Any:
    return ways.short(request("GET", f"departures/{departure.pk}/seats/")).document


def test_both_are_counted(ways: Ways, anna: Traveller) -> None:
    environ = request("GET", "reservations/holds/", b"", **token(anna))
    labels = ("GET", "/api/v1/reservations/holds/", "200")
    before = metrics.REQUESTS.labels(*labels)._value.get()
    ways.short(environ)
    assert metrics.REQUESTS.labels(*labels)._value.get() == before + 1


ODD: list[tuple[str, str, bytes, dict[str, str], int]] = [
    ("GET", "departures/{id}/seats/", b"", {"HTTP_ORIGIN": "https://evil.example"}, 200),
    ("HEAD", "departures/{id}/seats/", b"", {}, 200),
    ("OPTIONS", "departures/{id}/seats/", b"", {}, 204),
    ("POST", "departures/{id}/seats/", b"{}", {}, 405),
    ("DELETE", "reservations/holds/nothing/", b"", {}, 404),
    ("GET", "departures/{id}/seats", b"", {}, 301),
    ("GET", "departures/{id}/seats/?q=%00", b"", {}, 400),
    ("GET", "departures/{id}/seats/", b"", {"HTTP_HOST": "evil.example"}, 400),
    ("GET", "departures/{id}/seats/", b"", {"SCRIPT_NAME": "/under"}, 200),
    ("GET", "nowhere/", b"", {}, 404),
    ("GET", "stations/", b"", {}, 200),
    ("POST", "reservations/lock/", b"{}", {"CONTENT_LENGTH": "99999999"}, 413),
    ("POST", "reservations/lock/", b"{}", {"CONTENT_LENGTH": "19"}, 400),
    ("POST", "reservations/lock/", b"{}", {"CONTENT_LENGTH": "-2"}, 400),
    ("POST", "reservations/lock/", b"{}", {"CONTENT_LENGTH": ""}, 400),
    ("GET", "departures/{id}/seats/\xe9", b"", {}, 404),
]  # fmt: skip


@pytest.mark.parametrize("call", ODD, ids=[f"{n}-{c[0]}-{c[4]}" for n, c in enumerate(ODD)])
def test_what_is_odd_goes_the_long_way(
    call: tuple[str, str, bytes, dict[str, str], int],
    ways: Ways,
    departure: Departure,
    anna: Traveller,
) -> None:
    method, path, body, more, status = call
    environ = request(method, path.format(id=departure.pk), body, **token(anna) | more)
    answer = ways.short(environ)
    assert (ways.long_calls, answer.status[:3]) == (1, str(status))


def test_whoever_adds_a_middleware_says_what_the_short_way_does_about_it() -> None:
    assert django_settings.MIDDLEWARE == JUDGED, "say it in config/http/short_way.py, and here"

"""The request log: complete, discreet, cheap, and never in the way of a request."""

import logging
import os
import threading
import time
from typing import Any

import httpx
import pytest
import redis
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils.functional import SimpleLazyObject
from pymongo.database import Database
from pytest_django import Settings
from rest_framework.request import Request

from analytics.operations.backlog import stream_backlog
from analytics.shipping.shipper import ship_pending
from config.http import request_stream
from config.http.request_log import STREAM, RequestLogMiddleware, note
from config.http.request_stream import (
    PARAMS_CAP,
    WITHHELD,
    LoggedRequest,
    RequestStream,
    clean_params,
)
from config.stores import keys
from config.stores.redis import holds_store
from tests.stores import unreachable_store
from tests.web import web_server
from users.authentication import TokenUser

Mongo = Database[dict[str, Any]]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("streams")]

ENTRY = LoggedRequest(1_700_000_000.0, 1.5, "GET", "stations/", "", 200, None, None)


def through_the_middleware(request: HttpRequest, view: Any) -> None:
    RequestLogMiddleware(view)(request)


def shipped(mongo: Mongo) -> list[dict[str, Any]]:
    assert STREAM.flush()
    ship_pending()
    return list(mongo.requests.find().sort("_id", 1))


def test_an_api_request_becomes_one_document(mongo: Mongo) -> None:
    started = time.time()
    response = Client().get("/api/v1/nowhere/?source=CSMT&password=hunter2")

    (document,) = shipped(mongo)
    assert document["method"] == "GET"
    assert document["status"] == response.status_code == 404
    assert document["endpoint"] == "(unmatched)"
    assert document["params"] == {"source": "CSMT", "password": WITHHELD}
    assert document["user"] is None
    assert 0 < document["duration_ms"] < 60_000
    assert started - 1 < document["at"].timestamp() < time.time() + 1


def test_the_endpoint_is_the_route_and_never_the_path(mongo: Mongo) -> None:
    Client().get("/api/v1/operations/holds/secret-hold/release/")
    (document,) = shipped(mongo)
    assert document["endpoint"] == "operations/holds/<str:hold>/release/"


def test_what_is_not_the_api_is_not_logged(mongo: Mongo) -> None:
    Client().get("/api/schema/nothing")
    Client().get("/elsewhere/")
    assert shipped(mongo) == []


def test_the_user_is_who_the_view_found(mongo: Mongo) -> None:
    def drf_view(request: HttpRequest) -> HttpResponse:
        Request(request).user = TokenUser(id=42, is_staff=False, sid="s")  # type: ignore[assignment]
        return HttpResponse()

    through_the_middleware(RequestFactory().get("/api/v1/auth/me/"), drf_view)
    (document,) = shipped(mongo)
    assert document["user"] == 42


def test_a_session_user_nobody_asked_for_is_not_loaded(mongo: Mongo) -> None:
    def must_not_run() -> AnonymousUser:
        raise AssertionError("the log asked who the user is")

    request = RequestFactory().get("/api/v1/stations/")
    request.user = SimpleLazyObject(must_not_run)  # type: ignore[assignment]
    through_the_middleware(request, lambda _: HttpResponse())
    (document,) = shipped(mongo)
    assert document["user"] is None


def test_a_view_says_what_it_understood() -> None:
    def view(request: HttpRequest) -> HttpResponse:
        note(request, source="CSMT")
        note(Request(request), destination="MAO")
        return HttpResponse()

    through_the_middleware(RequestFactory().get("/api/v1/departures/search/"), view)
    STREAM.flush()
    entries: Any = holds_store().xrange(keys.REQUESTS)
    ((_, fields),) = entries
    assert b'"noted":{"source":"CSMT","destination":"MAO"}' in fields[b"d"]


def test_what_cannot_be_written_down_goes_without_and_the_rest_arrives(mongo: Mongo) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        note(request, source="\ud800")
        return HttpResponse()

    through_the_middleware(RequestFactory().get("/api/v1/departures/search/"), view)
    assert len(shipped(mongo)) == 1


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("", {}),
        ("source=CSMT&date=2026-12-01&q=", {"source": "CSMT", "date": "2026-12-01", "q": ""}),
        ("Access_Token=abc&api_key=k&capability=c", None),
        ("q=someone%40example.org", {"q": WITHHELD}),
        ("next=eyJhbGciOiJIUzI1NiJ9.e30.x", {"next": WITHHELD}),
        ("limit=1&limit=2", {"limit": "2"}),
        ("a=%ff%00b&c%00=1", {"a": "\ufffdb", "c": "1"}),
    ],
)  # fmt: skip
def test_parameters_are_kept_without_what_is_nobodys_business(
    query: str, kept: dict[str, str] | None
) -> None:
    found = clean_params(query)
    assert found == kept if kept is not None else set(found.values()) == {WITHHELD}


def test_parameters_are_bounded() -> None:
    found = clean_params("&".join(f"name{'x' * 500}{n}={'y' * 500}" for n in range(1_000)))
    assert len(found) <= PARAMS_CAP
    assert sum(len(name) + len(value) for name, value in found.items()) < 5_000


def test_a_full_queue_drops_counts_and_says_so_in_redis() -> None:
    stream = RequestStream(capacity=3)
    stream._thread = threading.current_thread()  # no flusher: the queue stays full
    for _ in range(10):
        stream.put(ENTRY)
    assert stream.flush()
    assert holds_store().xlen(keys.REQUESTS) == 3
    assert holds_store().get(keys.REQUESTS_DROPPED) == b"7"
    stream.put(ENTRY)
    assert stream.flush()
    assert holds_store().get(keys.REQUESTS_DROPPED) == b"7"


def test_what_the_cap_cuts_off_is_counted_and_the_rest_arrives(
    mongo: Mongo, settings: Settings
) -> None:
    settings.ENV = settings.ENV.model_copy(update={"request_log_cap": 100})
    stream = RequestStream()
    stream._thread = threading.current_thread()
    for _ in range(2_000):
        stream.put(ENTRY)
    stream.flush()
    left = holds_store().xlen(keys.REQUESTS)
    assert 100 <= left < 400  # whole nodes are cut off
    assert stream_backlog().requests_dropped == 2_000 - left
    ship_pending()
    assert (stream_backlog().requests, stream_backlog().requests_dropped) == (0, 2_000 - left)
    assert mongo.requests.count_documents({}) == left


def test_without_redis_entries_wait_in_order_and_arrive_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = RequestStream()
    stream._thread = threading.current_thread()
    away = unreachable_store()
    with monkeypatch.context() as broken:
        broken.setattr(request_stream, "holds_store", lambda: away)
        for number in range(3):
            stream.put(ENTRY._replace(status=200 + number))
        assert not stream.flush()
        assert not stream.flush()
    assert stream.flush()
    entries: Any = holds_store().xrange(keys.REQUESTS)
    statuses = [fields[b"d"].split(b'"status":')[1][:3] for _, fields in entries]
    assert statuses == [b"200", b"201", b"202"]


def test_an_entry_sent_twice_is_one_document(mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer to the first XADD was lost."""
    stream = RequestStream()
    stream._thread = threading.current_thread()
    stream.put(ENTRY)
    send = stream._send

    def lose_the_answer(batch: Any) -> None:
        send(batch)
        raise redis.ConnectionError("reset by peer")

    with monkeypatch.context() as broken:
        broken.setattr(stream, "_send", lose_the_answer)
        assert not stream.flush()
    assert stream.flush()
    assert holds_store().xlen(keys.REQUESTS) == 2
    assert len(shipped(mongo)) == 1


def test_the_flusher_sends_by_itself_and_outlives_an_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stream = RequestStream()
    send = stream._send
    failures = iter([RuntimeError("unforeseen")])

    def fail_once(batch: Any) -> None:
        for failure in failures:
            raise failure
        send(batch)

    monkeypatch.setattr(stream, "_send", fail_once)
    with caplog.at_level(logging.ERROR):
        stream.put(ENTRY)
        wait_until(lambda: holds_store().xlen(keys.REQUESTS) == 1)
    assert "unforeseen error" in caplog.text


def test_a_forked_worker_has_a_queue_and_a_flusher_of_its_own() -> None:
    STREAM.put(ENTRY)
    assert STREAM.flush()
    before = holds_store().xlen(keys.REQUESTS)
    child = os.fork()
    if child == 0:
        try:
            STREAM.put(ENTRY)
            wait_until(lambda: not STREAM._queue)
            STREAM.flush()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    entries: Any = holds_store().xrange(keys.REQUESTS)
    assert len(entries) == before + 1
    assert len({fields[b"d"].split(b",")[0] for _, fields in entries}) == len(entries)


def test_a_request_pays_less_than_20_microseconds_for_its_log() -> None:
    request = RequestFactory().get("/api/v1/departures/search/?source=CSMT&destination=MAO")
    request.resolver_match = None
    answer = HttpResponse()
    middleware = RequestLogMiddleware(lambda _: answer)
    rounds, times = 20, 500
    best = float("inf")
    for _ in range(rounds):
        started = time.perf_counter()
        for _ in range(times):
            middleware(request)
        best = min(best, time.perf_counter() - started)
    assert best / times < 20e-6


def wait_until(is_so: Any) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


@pytest.mark.django_db(transaction=True)
def test_a_server_that_is_stopped_sends_what_it_has_still_to_say() -> None:
    with web_server() as web, httpx.Client(base_url=web.url) as client:
        for number in range(40):
            client.get(f"/api/v1/nowhere/?number={number}")
    entries: Any = holds_store().xrange(keys.REQUESTS)
    numbered = [fields for _, fields in entries if b'"number"' in fields[b"d"]]
    assert len(numbered) == 40

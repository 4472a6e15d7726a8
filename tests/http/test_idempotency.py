"""A request sent twice has one effect and one answer; rivals are placed, never timed."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from pytest_django import DjangoAssertNumQueries
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.views import APIView

from config import clock
from config.errors import (
    Forbidden,
    IdempotencyInFlight,
    IdempotencyKeyReused,
    Invalid,
    NotFound,
    SeatlockError,
    StoreUnavailable,
)
from config.idempotency import services
from config.idempotency.headers import fingerprint, fingerprint_of, key_of
from config.idempotency.models import IdempotencyKey
from config.idempotency.services import Answer, find, keep_refusal, once, purge_keys
from config.idempotency.tasks import purge_keys as purge_task
from config.idempotency.views import idempotent
from config.outbox.models import OutboxEvent
from tests.users.api import code_of
from users.authentication import TokenUser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("empty_redis")]

PRINT = "f" * 64


class Gone(SeatlockError):
    code = "hold-expired"


def effect(name: str = "it") -> None:
    """Something written to PostgreSQL that would fail if done twice."""
    OutboxEvent.objects.create(event_id=name, kind="test", subject="test", stage=0, body={})


def effects() -> int:
    return OutboxEvent.objects.filter(kind="test").count()


def create(name: str = "it") -> Answer:
    effect(name)
    return Answer(201, {"name": name})


def run(
    act: Callable[[], Answer] = create, *, user: int = 1, key: str = "k", print_: str = PRINT
) -> Answer:
    return once(user_id=user, key=key, fingerprint=print_, act=act)


def test_a_repeat_gets_the_first_answer_and_has_no_effect() -> None:
    assert run() == Answer(201, {"name": "it"})
    assert run() == Answer(201, {"name": "it"}, is_replay=True)
    assert effects() == 1


def test_without_the_key_the_repeat_would_happen_again() -> None:
    create("first")
    create("second")
    assert effects() == 2


def test_another_request_with_the_key_is_refused() -> None:
    run()
    with pytest.raises(IdempotencyKeyReused):
        run(print_="e" * 64)
    assert effects() == 1


def test_keys_belong_to_one_user() -> None:
    run(lambda: create("a"), user=1)
    run(lambda: create("b"), user=2)
    assert effects() == 2


def test_what_is_kept_for_one_user_is_nothing_to_another() -> None:
    """Also for a caller that only looks, and has another request under the same key."""
    run(user=1)
    assert find(user_id=2, key="k", fingerprint=PRINT) is None
    assert find(user_id=2, key="k", fingerprint="e" * 64) is None


def test_key_and_effect_are_one_transaction() -> None:
    def fails() -> Answer:
        effect()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        run(fails)
    assert (effects(), IdempotencyKey.objects.count()) == (0, 0)
    assert run().status == 201


@pytest.mark.parametrize(
    ("error", "is_kept"),
    [(Gone("over", hold="h"), True), (Invalid({"a": ["b"]}), False), (NotFound(), False),
     (Forbidden(), False), (StoreUnavailable(), False)],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_only_refusals_that_decided_something_are_kept(error: SeatlockError, is_kept: bool) -> None:
    def refuse() -> Answer:
        effect()
        raise error

    with pytest.raises(type(error)):
        run(refuse)
    assert effects() == 0
    again = run()
    assert again.is_replay is is_kept
    assert effects() == (0 if is_kept else 1)
    if is_kept:
        assert (again.status, again.body["code"], again.body["hold"]) == (410, "hold-expired", "h")


@contextmanager
def first_request_running() -> Iterator[threading.Event]:
    """A first request that has its effect and waits with COMMIT until the event is set."""
    inside, may_commit = threading.Event(), threading.Event()

    def slow() -> Answer:
        answer = create()
        inside.set()
        assert may_commit.wait(timeout=20)
        return answer

    def first() -> None:
        try:
            run(slow)
        finally:
            connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(timeout=10)
    try:
        yield may_commit
    finally:
        may_commit.set()
        thread.join(timeout=20)


def someone_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def test_a_repeat_waits_for_the_first_and_gets_its_answer() -> None:
    def second() -> Answer:
        try:
            return run(lambda: create("second"))
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, first_request_running() as may_commit:
        repeat = pool.submit(second)
        deadline = time.monotonic() + 10
        while not someone_waits():
            assert time.monotonic() < deadline
        may_commit.set()
        assert repeat.result(timeout=10) == Answer(201, {"name": "it"}, is_replay=True)
    assert effects() == 1


def test_a_repeat_that_waits_too_long_is_told_so() -> None:
    with first_request_running():
        started = time.monotonic()
        with pytest.raises(IdempotencyInFlight):
            run(lambda: create("second"))
        assert 1 < time.monotonic() - started < 5
    assert run().is_replay
    assert effects() == 1


def test_the_effect_itself_may_wait_longer_than_a_repeat() -> None:
    def look() -> Answer:
        with connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            return Answer(200, cursor.fetchone()[0])

    assert run(look).body == "0"


def test_an_answer_is_kept_for_24_hours_and_then_forgotten() -> None:
    run()
    with clock.moved(timedelta(hours=23, minutes=59)):
        assert run().is_replay
        assert purge_keys() == 0
    with clock.moved(timedelta(hours=24, seconds=1)):
        assert find(user_id=1, key="k", fingerprint=PRINT) is None
        assert not run(lambda: create("new"), print_="e" * 64).is_replay  # not purged yet
        assert IdempotencyKey.objects.count() == 1
    with clock.moved(timedelta(hours=49)):
        assert purge_task() == 1


def test_forgetting_goes_in_bounded_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "PURGE_BATCH", 2)
    old = clock.now() - timedelta(days=2)
    IdempotencyKey.objects.bulk_create(
        IdempotencyKey(
            user_id=1, key=str(n), fingerprint=PRINT, status=201, body="{}", created_at=old
        )
        for n in range(5)
    )
    run(key="young")
    assert purge_keys() == 5
    assert IdempotencyKey.objects.get().key == "young"


def test_a_look_is_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    run()
    with django_assert_num_queries(1):
        assert find(user_id=1, key="k", fingerprint=PRINT) is not None


def test_a_caller_with_its_own_statement_keeps_its_refusal_once() -> None:
    for detail in ("first", "second"):
        keep_refusal(Gone(detail), user_id=1, key="k", fingerprint=PRINT)
    keep_refusal(NotFound(), user_id=1, key="other", fingerprint=PRINT)
    kept = find(user_id=1, key="k", fingerprint=PRINT)
    assert kept is not None
    assert kept.body["detail"] == "first"
    assert find(user_id=1, key="other", fingerprint=PRINT) is None


def test_an_effect_inside_another_transaction_is_undone_with_it() -> None:
    def around() -> None:
        with transaction.atomic():
            run()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        around()
    assert (effects(), IdempotencyKey.objects.count()) == (0, 0)


# The header


def asked(**headers: str) -> HttpRequest:
    return RequestFactory().post("/", headers=headers)


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ('"8e03978e-40d5"', "8e03978e-40d5"),
        ("8e03978e-40d5", "8e03978e-40d5"),
        (' "k" ', "k"),
        ('"a b~"', "a b~"),
        (r'"say \"hi\" \\ bye"', r'say "hi" \ bye'),
        ('"a,b;c"', "a,b;c"),
        ("k/1:2=.~_-+", "k/1:2=.~_-+"),
        ("x" * 255, "x" * 255),
        (f'"{"x" * 255}"', "x" * 255),
    ],
)
def test_a_key_is_a_string_of_a_structured_field_in_quotes_or_without(sent: str, key: str) -> None:
    assert key_of(asked(idempotency_key=sent)) == key


@pytest.mark.parametrize(
    "sent",
    [
        "", '""', "  ", '"', '"open', 'shut"', '"a"b"', r'"a\b"', '"a\\"',
        '"a", "b"', "a,b", "a, b", '"a";v=1', "a;v=1", "a b", "a\tb", "a\x7fb", "ké", '"ké"',
        "x" * 256, f'"{"x" * 256}"',
    ],
)  # fmt: skip
def test_a_malformed_key_is_invalid(sent: str) -> None:
    """Lists (the header sent twice), parameters, halves of strings, and what no header may hold."""
    with pytest.raises(Invalid) as wrong:
        key_of(asked(idempotency_key=sent))
    assert list(wrong.value.data["errors"]) == ["Idempotency-Key"]


def test_no_header_is_no_key() -> None:
    assert key_of(asked()) is None


def test_the_fingerprint_tells_method_path_query_and_body_apart() -> None:
    post = RequestFactory().post
    requests = [
        post("/a/", b"{}", content_type="application/json"),
        post("/a/", b"{ }", content_type="application/json"),
        post("/b/", b"{}", content_type="application/json"),
        post("/a/?x=1", b"{}", content_type="application/json"),
        RequestFactory().put("/a/", b"{}", content_type="application/json"),
    ]
    prints = {fingerprint_of(request) for request in requests}
    assert len(prints) == len(requests)
    assert {len(each) for each in prints} == {64}
    assert fingerprint("POST", "/a", b"b") != fingerprint("POST", "/", b"ab")


# The decorator of DRF views


class Making(APIView):
    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    @idempotent
    def post(self, request: Request) -> Response:
        if "refuse" in request.data:
            raise Gone
        effect()
        body = {"fare": Decimal("450.00"), "at": datetime(2026, 1, 2, tzinfo=UTC)}
        return Response(body, status=201)


making: Callable[[HttpRequest], HttpResponse] = Making.as_view()


def make(body: dict[str, Any], *, key: str | None = "k", user: int | None = 7) -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    request = APIRequestFactory().post("/make/", body, format="json", headers=headers)
    if user is not None:
        force_authenticate(request, user=TokenUser(id=user, is_staff=False, sid="s"))  # type: ignore[arg-type]
    response = making(request)
    if hasattr(response, "render"):
        response.render()
    return response


def test_a_drf_view_answers_a_repeat_as_at_first() -> None:
    first, again = make({}), make({})
    assert (first.status_code, again.status_code) == (201, 201)
    bodies = [json.loads(response.content) for response in (first, again)]
    assert bodies == [{"fare": "450.00", "at": "2026-01-02T00:00:00Z"}] * 2
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert effects() == 1


def test_a_drf_view_refuses_a_repeat_as_at_first() -> None:
    first, again = make({"refuse": 1}), make({"refuse": 1})
    assert code_of(first) == code_of(again) == (410, "hold-expired")
    assert again.headers["Idempotency-Replayed"] == "true"


def test_a_drf_view_without_a_key_runs_plainly() -> None:
    assert make({}, key=None).status_code == 201
    assert not IdempotencyKey.objects.exists()


def test_another_body_or_a_bad_key_is_refused() -> None:
    make({})
    assert code_of(make({"refuse": 1})) == (422, "idempotency-key-reused")
    assert code_of(make({}, key="x" * 256)) == (400, "invalid")


def test_a_key_needs_a_user() -> None:
    assert code_of(make({}, user=None)) == (401, "not-authenticated")

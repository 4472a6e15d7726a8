"""A logout ends every token of that login, at once and everywhere, whatever happens to Redis."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import RequestFactory
from pytest_django import DjangoAssertNumQueries, Settings

from config import clock
from config.outbox.models import OutboxEvent
from config.stores import keys
from config.stores.redis import holds_store
from users import marks
from users.models import Login, User
from users.services import restore_marks
from users.services.restore_marks import notice_lost_marks, restore_ended_marks
from users.tasks import restore_ended_marks as restore_task
from users.tokens import caller_of

from .api import Api, alive, code_of, log_in, new_user


def log_out(login: dict[str, Any], refresh: str | None = None) -> Any:
    body = {"refresh": login["refresh"] if refresh is None else refresh}
    return Api(login["access"]).post("auth/logout/", body)


def marked_shards(sid: str) -> list[int]:
    return [n for n in range(keys.SHARDS) if holds_store().exists(keys.ended(n, sid))]


def forget_everything() -> None:
    """What a flush does to the marks, without harm to the neighbours."""
    for sid in Login.objects.values_list("sid", flat=True):
        holds_store().delete(*(keys.ended(n, str(sid)) for n in range(keys.SHARDS)))
    holds_store().delete(keys.marks(0))


def test_every_token_of_the_login_is_dead_at_once(user: User, login: dict[str, Any]) -> None:
    new = Api().post("auth/refresh/", {"refresh": login["refresh"]}).json()
    other = log_in(user)

    assert log_out(new).status_code == 204

    assert [alive(login["access"]), alive(new["access"]), alive(other["access"])] == [
        False, False, True,
    ]  # fmt: skip
    again = Api().post("auth/refresh/", {"refresh": new["refresh"]})
    assert code_of(again) == (401, "not-authenticated")


def test_without_the_look_for_the_mark_the_dead_token_would_live(login: dict[str, Any]) -> None:
    log_out(login)
    asked = RequestFactory().get("/", headers={"authorization": f"Bearer {login['access']}"})
    assert caller_of(asked, check_ended=False)


def test_the_mark_lies_in_every_shard_for_as_long_as_an_access_token_lives(
    user: User, login: dict[str, Any], settings: Settings
) -> None:
    log_out(login)
    sid = str(user.logins.get().sid)

    assert marked_shards(sid) == list(range(64))
    ttl = holds_store().ttl(keys.ended(63, sid))
    assert settings.ENV.access_token_seconds - 5 < ttl <= settings.ENV.access_token_seconds


def test_a_logout_is_a_fact(user: User, login: dict[str, Any]) -> None:
    log_out(login)
    fact = OutboxEvent.objects.get(kind="account.logout")
    sid = str(user.logins.get().sid)
    assert fact.event_id == f"user:{user.pk}:logout:{sid}"
    assert fact.body == {"user": user.pk, "sid": sid, "reason": "logout"}


def test_an_older_refresh_token_of_the_login_ends_it_too(login: dict[str, Any]) -> None:
    new = Api().post("auth/refresh/", {"refresh": login["refresh"]}).json()
    assert log_out(new, refresh=login["refresh"]).status_code == 204
    assert not alive(new["access"])


def test_a_foreign_refresh_token_ends_nothing(login: dict[str, Any]) -> None:
    foreign = log_in(new_user())
    assert code_of(log_out(login, refresh=foreign["refresh"])) == (400, "invalid")
    assert alive(foreign["access"])
    assert alive(login["access"])


@pytest.mark.parametrize("refresh", ["nonsense", "", "x.y.z"])
def test_nonsense_ends_nothing(login: dict[str, Any], refresh: str) -> None:
    assert code_of(log_out(login, refresh=refresh)) == (400, "invalid")
    assert alive(login["access"])


def test_a_logout_needs_a_token() -> None:
    response = Api().post("auth/logout/", {"refresh": "x"})
    assert code_of(response) == (401, "not-authenticated")


@pytest.mark.usefixtures("redis_away")
def test_postgresql_answers_while_redis_is_away(user: User, login: dict[str, Any]) -> None:
    other = log_in(user)
    assert log_out(login).status_code == 204
    assert not alive(login["access"])
    assert alive(other["access"])


def test_a_mark_that_could_not_be_written_is_written_when_redis_is_back(
    user: User, login: dict[str, Any], redis_away: pytest.MonkeyPatch
) -> None:
    log_out(login)
    sid = str(user.logins.get().sid)
    assert marked_shards(sid) == []

    redis_away.undo()

    assert not alive(login["access"])
    assert marked_shards(sid) == list(range(64))


def test_without_the_debt_the_token_would_come_back_to_life(
    login: dict[str, Any], redis_away: pytest.MonkeyPatch
) -> None:
    log_out(login)
    marks._owed.clear()
    redis_away.undo()
    marks._owed.clear()
    assert alive(login["access"])


def test_the_periodic_task_writes_what_a_dead_process_owed(
    login: dict[str, Any], redis_away: pytest.MonkeyPatch
) -> None:
    log_out(login)
    redis_away.undo()
    marks._owed.clear()

    assert restore_task() == 1
    assert not alive(login["access"])


def test_ended_logins_stay_ended_when_redis_forgets(
    user: User, login: dict[str, Any], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    other = log_in(user)
    log_out(login)
    forget_everything()

    assert not alive(login["access"])  # PostgreSQL said so, and the marks came back
    assert len(marked_shards(str(Login.objects.exclude(ended_at=None).get().sid))) == 64
    asked = RequestFactory().get("/", headers={"authorization": f"Bearer {other['access']}"})
    with django_assert_num_queries(0):
        caller_of(asked)


def test_restored_marks_live_as_long_as_the_old_ones_would_have(
    user: User, login: dict[str, Any], settings: Settings
) -> None:
    log_out(login)
    sid = str(user.logins.get().sid)
    forget_everything()
    with clock.moved(timedelta(seconds=600)):
        assert restore_ended_marks() == 1
    left = settings.ENV.access_token_seconds - 600
    assert left - 5 < holds_store().ttl(keys.ended(17, sid)) <= left


def test_logins_whose_tokens_all_ran_out_need_no_mark(
    login: dict[str, Any], settings: Settings
) -> None:
    log_out(login)
    forget_everything()
    with clock.moved(timedelta(seconds=settings.ENV.access_token_seconds + 1)):
        assert restore_ended_marks() == 0


def test_a_flush_in_the_middle_of_a_restore_leaves_the_marks_incomplete(
    login: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    log_out(login)
    forget_everything()
    put = marks.put

    def flushed_afterwards(found: dict[str, int]) -> None:
        put(found)
        forget_everything()

    monkeypatch.setattr(marks, "put", flushed_afterwards)
    restore_ended_marks()
    assert holds_store().get(keys.marks(0)) is None


def test_a_restarted_redis_is_asked_again_even_if_it_kept_its_marks(
    user: User, login: dict[str, Any]
) -> None:
    log_out(login)
    sid = str(user.logins.get().sid)
    forget_everything()  # as when the last second before a crash was not yet on disk
    holds_store().set(keys.marks(0), marks.COMPLETE + b"the run before")
    assert restore_ended_marks() == 1
    assert len(marked_shards(sid)) == 64


def test_force_writes_the_shards_that_were_lost_alone(user: User, login: dict[str, Any]) -> None:
    log_out(login)
    sid = str(user.logins.get().sid)
    holds_store().delete(keys.ended(40, sid))
    assert restore_ended_marks() == 0
    assert restore_ended_marks(force=True) == 1
    assert len(marked_shards(sid)) == 64


@pytest.mark.usefixtures("redis_away")
def test_noticing_lost_marks_never_raises_and_rests(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        notice_lost_marks()
    assert sum("cannot be restored" in line for line in caplog.messages) == 1
    assert restore_marks._outage.is_resting


def test_many_logouts_at_once_end_the_login_once(user: User, login: dict[str, Any]) -> None:
    together = threading.Barrier(4)

    def rival(_: int) -> int:
        together.wait(timeout=10)
        try:
            return int(log_out(login).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as rivals:
        assert set(rivals.map(rival, range(4))) <= {204, 401}
    assert OutboxEvent.objects.filter(kind="account.logout").count() == 1
    assert user.logins.get().ended_at is not None

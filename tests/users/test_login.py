"""Logging in: by either name, and with nothing to learn from a refusal."""

from typing import Any

import jwt
import pytest
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries, Settings

from config.outbox.models import OutboxEvent
from users.hashers import BoundedArgon2PasswordHasher
from users.models import Login, User
from users.services.recognise import _decoy_hash, recognise

from .api import NEW_PASSWORD, PASSWORD, Api, code_of, log_in, new_user


def attempt(name: str, password: str = PASSWORD) -> Any:
    return Api().post("auth/login/", {"username": name, "password": password})


def test_a_login_answers_with_tokens_and_the_account(user: User) -> None:
    answer = log_in(user)

    assert set(answer) == {"access", "refresh", "user"}
    assert answer["user"] == {
        "id": user.pk, "username": user.username, "email": user.email, "role": "user",
    }  # fmt: skip


def test_username_and_email_open_the_account_whatever_their_case(user: User) -> None:
    names = [user.username, user.username.upper(), user.email, user.email.upper()]
    assert [attempt(name).json()["user"]["id"] for name in names] == [user.pk] * 4


def test_a_token_carries_its_login_and_role(settings: Settings) -> None:
    staff = new_user(is_staff=True)
    answer = log_in(staff)
    access, refresh = (
        jwt.decode(answer[kind], settings.SECRET_KEY, algorithms=["HS256"])
        for kind in ("access", "refresh")
    )

    login = Login.objects.get(user=staff)
    assert set(access) == {"sub", "sid", "staff", "exp", "iat", "jti", "token_type"}
    assert (access["sub"], access["sid"], access["staff"]) == (str(staff.pk), str(login.sid), True)
    assert access["exp"] - access["iat"] == settings.ENV.access_token_seconds
    assert (access["token_type"], refresh["token_type"]) == ("access", "refresh")
    assert refresh["jti"] == login.refresh_jti
    assert answer["user"]["role"] == "admin"


def test_every_kind_of_no_is_one_answer() -> None:
    known, shut = new_user(), new_user(is_active=False)
    refused = [
        attempt("nobody-has-this-name"), attempt(known.username, "wrong"), attempt(shut.username),
    ]  # fmt: skip

    assert [code_of(response) for response in refused] == [(401, "not-authenticated")] * 3
    assert len({response.content for response in refused}) == 1
    assert not Login.objects.exists()


def test_every_kind_of_no_costs_one_password_check_and_as_many_queries(
    monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    known, shut = new_user(), new_user(is_active=False)
    _decoy_hash.cache_clear()  # tests of pages make it with a quicker hasher
    _decoy_hash()
    hashed: list[str] = []
    verify = BoundedArgon2PasswordHasher.verify

    def counted(hasher: BoundedArgon2PasswordHasher, password: str, encoded: str) -> bool:
        hashed.append(password)
        return verify(hasher, password, encoded)

    monkeypatch.setattr(BoundedArgon2PasswordHasher, "verify", counted)
    costs = []
    for name, password in [("nobody", "x"), (known.username, "x"), (shut.username, PASSWORD)]:
        hashed.clear()
        queries: CaptureQueriesContext
        with django_assert_max_num_queries(4) as queries:
            attempt(name, password)
        costs.append((len(hashed), len(queries)))

    assert costs == [costs[0]] * 3
    assert costs[0][0] == 1


def test_logins_and_failures_are_facts_without_names(user: User) -> None:
    log_in(user)
    sid = user.logins.get().sid
    attempt(user.username, "wrong")
    attempt("nobody-has-this-name")

    facts = {fact.kind: fact for fact in OutboxEvent.objects.filter(subject=f"user:{user.pk}")}
    assert facts["account.login"].event_id == f"user:{user.pk}:login:{sid}"
    assert facts["account.login-failed"].body == {"user": user.pk}
    unknown = OutboxEvent.objects.get(subject="address:127.0.0.1")
    assert (unknown.kind, unknown.body) == ("account.login-failed", {})


def test_a_login_with_the_password_of_before_a_change_meanwhile_fails(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from users.services import log_in as service

    def changed_meanwhile(**kwargs: str) -> tuple[User | None, bool]:
        found = recognise(name=kwargs["name"], password=kwargs["password"])
        rival = User.objects.get(pk=user.pk)
        rival.set_password(NEW_PASSWORD)
        rival.save()
        return found

    monkeypatch.setattr(service, "recognise", changed_meanwhile)
    assert code_of(attempt(user.username)) == (401, "not-authenticated")


@pytest.mark.parametrize("body", [{}, {"username": "x"}, {"username": 5, "password": {}}], ids=str)
def test_a_login_without_its_fields_is_invalid(body: dict[str, Any]) -> None:
    assert code_of(Api().post("auth/login/", body)) == (400, "invalid")

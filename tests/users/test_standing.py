"""Tokens never say more than is true: lost rights and new passwords end logins, whoever saves."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.core.management import call_command

from config.outbox.models import OutboxEvent
from users.models import User

from .api import NEW_PASSWORD, PASSWORD, Api, alive, code_of, log_in, new_user


def reasons(user: User) -> list[str]:
    facts = OutboxEvent.objects.filter(subject=f"user:{user.pk}", kind="account.logout")
    return [fact.body["reason"] for fact in facts]


def lose_staff(user: User) -> None:
    user.is_staff = False
    user.save(update_fields=["is_staff"])


def be_shut(user: User) -> None:
    user.is_active = False
    user.save()


@pytest.mark.parametrize("lose", [lose_staff, be_shut])
def test_lost_rights_end_every_login(lose: Callable[[User], None]) -> None:
    staff = new_user(is_staff=True)
    logins = [log_in(staff), log_in(staff)]
    lose(staff)
    assert [alive(login["access"]) for login in logins] == [False, False]
    assert reasons(staff) == ["rights-lost", "rights-lost"]
    assert OutboxEvent.objects.filter(kind="account.rights-changed").count() == 2


def test_a_shut_account_cannot_refresh(user: User, login: dict[str, Any]) -> None:
    be_shut(user)
    response = Api().post("auth/refresh/", {"refresh": login["refresh"]})
    assert code_of(response) == (401, "not-authenticated")


def test_gained_rights_end_nothing(user: User, login: dict[str, Any]) -> None:
    user.is_staff = True
    user.save()
    assert alive(login["access"])


def test_a_password_set_by_staff_ends_every_login(user: User, login: dict[str, Any]) -> None:
    user.set_password(NEW_PASSWORD)
    user.save()
    assert not alive(login["access"])
    assert reasons(user) == ["password-changed"]


def test_a_password_kept_with_a_newer_hash_ends_nothing(user: User, login: dict[str, Any]) -> None:
    from argon2 import PasswordHasher

    older = "argon2" + PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    User.objects.filter(pk=user.pk).update(password=older)
    assert log_in(user)
    user.refresh_from_db()
    assert "m=19456,t=2" in user.password
    assert alive(login["access"])


def test_saving_anything_else_ends_nothing(user: User, login: dict[str, Any]) -> None:
    user.first_name = "Asha"
    user.save()
    assert alive(login["access"])


def test_the_owner_changes_the_password_and_keeps_this_login(
    user: User, login: dict[str, Any], api: Api
) -> None:
    other = log_in(user)
    body = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}

    assert api.post("auth/password/", body).status_code == 204

    assert (alive(login["access"]), alive(other["access"])) == (True, False)
    assert Api().post("auth/refresh/", {"refresh": login["refresh"]}).status_code == 200
    assert code_of(
        Api().post("auth/login/", {"username": user.username, "password": PASSWORD})
    ) == (401, "not-authenticated")
    facts = OutboxEvent.objects.filter(kind="account.password-changed")
    assert [fact.body for fact in facts] == [{"user": user.pk}]


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("old_password", {"old_password": "wrong", "new_password": NEW_PASSWORD}),
        ("new_password", {"old_password": PASSWORD, "new_password": "123"}),
        ("new_password", {"old_password": PASSWORD}),
    ],
)
def test_a_wrong_change_of_password_changes_nothing(
    api: Api, user: User, field: str, body: dict[str, str]
) -> None:
    response = api.post("auth/password/", body)
    assert code_of(response) == (400, "invalid")
    assert list(response.json()["errors"]) == [field]
    assert log_in(user)


def test_django_commands_follow_the_same_rule(
    user: User, login: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getpass", lambda prompt: NEW_PASSWORD)  # noqa: ARG005
    call_command("changepassword", user.username, stdout=open("/dev/null", "w"))  # noqa: PTH123, SIM115
    assert not alive(login["access"])


def test_an_unsaved_hash_is_no_password_change(user: User, login: dict[str, Any]) -> None:
    user.password = make_password(PASSWORD)
    user.save()
    assert alive(login["access"])

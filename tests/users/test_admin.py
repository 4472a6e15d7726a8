"""Django's admin: staff get in like everybody else, look at people, and never delete them."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from config.outbox.models import OutboxEvent
from users.models import User

from .api import PASSWORD, alive, log_in, new_user
from .conftest import free_throttles

LOGIN = "/admin/login/?next=/admin/"


@pytest.fixture
def staff() -> User:
    return new_user(is_staff=True, is_superuser=True)


@pytest.fixture
def browser(staff: User) -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(staff)
    return client


def sign_in(client: Client, name: str, password: str = PASSWORD) -> Any:
    return client.post(LOGIN, {"username": name, "password": password})


def test_staff_come_in_by_username_or_email_and_travellers_do_not(staff: User, user: User) -> None:
    def status(name: str) -> int:
        return int(sign_in(Client(headers={"host": "localhost"}), name).status_code)

    assert [status(staff.username), status(staff.email.upper())] == [302, 302]
    assert status(user.username) == 200


def test_a_failed_login_at_the_admin_is_a_fact(staff: User) -> None:
    assert (
        sign_in(Client(headers={"host": "localhost"}), staff.username, "wrong").status_code == 200
    )
    assert OutboxEvent.objects.get(kind="account.login-failed").subject == f"user:{staff.pk}"


def test_the_admins_door_has_the_limits_of_the_apis(staff: User, settings: Settings) -> None:
    free_throttles()
    settings.ENV = settings.ENV.model_copy(update={"throttles": "on"})
    client = Client(headers={"host": "localhost"})
    for _ in range(10):
        sign_in(client, staff.username, "wrong")
    assert sign_in(client, staff.username).status_code == 200  # the right one, but too often
    assert "sessionid" not in client.cookies
    free_throttles()


@pytest.mark.parametrize("page", ["user_changelist", "user_add", "login_changelist"])
def test_the_lists_open(browser: Client, page: str) -> None:
    assert browser.get(reverse(f"admin:users_{page}")).status_code == 200


def test_an_account_can_be_made_and_changed(browser: Client) -> None:
    form = {"username": "asha", "email": "asha@example.org", "usable_password": "true",
            "password1": PASSWORD, "password2": PASSWORD}  # fmt: skip
    assert browser.post(reverse("admin:users_user_add"), form).status_code == 302
    made = User.objects.get(username="asha")
    assert browser.get(reverse("admin:users_user_change", args=[made.pk])).status_code == 200


def test_an_account_cannot_take_a_name_in_other_case(browser: Client, user: User) -> None:
    form = {"username": user.username.upper(), "email": "x@example.org",
            "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}  # fmt: skip
    before = User.objects.count()
    assert browser.post(reverse("admin:users_user_add"), form).status_code == 200
    assert User.objects.count() == before


def test_nobody_is_deleted(browser: Client, user: User) -> None:
    assert browser.post(reverse("admin:users_user_delete", args=[user.pk])).status_code == 403
    assert User.objects.filter(pk=user.pk).exists()


def test_staff_end_the_logins_of_an_account(browser: Client, user: User) -> None:
    login = log_in(user)
    action = {"action": "end_all_logins", "_selected_action": [user.pk]}
    assert browser.post(reverse("admin:users_user_changelist"), action).status_code == 302
    assert not alive(login["access"])


def test_logins_are_only_looked_at(browser: Client, user: User) -> None:
    log_in(user)
    page = reverse("admin:users_login_change", args=[user.logins.get().pk])
    assert browser.get(page).status_code == 200
    assert browser.post(page, {"ended_at_0": "2020-01-01"}).status_code == 403

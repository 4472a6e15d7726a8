"""A profile: read and changed by its owner."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from users.models import User

from .api import Api, code_of, new_user


def test_a_profile_shows_its_owner(api: Api, user: User) -> None:
    shown = api.get("auth/me/").json()
    assert datetime.fromisoformat(shown.pop("date_joined")).utcoffset() == timedelta(0)
    assert shown == {
        "id": user.pk, "username": user.username, "email": user.email, "role": "user",
        "first_name": "", "last_name": "", "phone_number": "",
    }  # fmt: skip


def test_names_email_and_phone_can_be_changed(api: Api, user: User) -> None:
    changes = {"first_name": "Asha", "phone_number": "22", "email": "new@example.org"}
    response = api.patch("auth/me/", changes)
    assert response.status_code == 200
    assert {name: response.json()[name] for name in changes} == changes
    user.refresh_from_db()
    assert (user.first_name, user.phone_number, user.email) == ("Asha", "22", "new@example.org")


@pytest.mark.parametrize("field", ["id", "username", "role", "is_staff", "is_superuser"])
def test_who_one_is_cannot_be_changed(api: Api, user: User, field: str) -> None:
    before = User.objects.values().get(pk=user.pk)
    assert api.patch("auth/me/", {field: "admin"}).status_code == 200
    assert User.objects.values().get(pk=user.pk) == before


def test_the_email_of_somebody_else_is_refused(api: Api, user: User) -> None:
    other = new_user()
    response = api.patch("auth/me/", {"email": other.email.upper()})
    assert code_of(response) == (400, "invalid")
    assert list(response.json()["errors"]) == ["email"]
    user.refresh_from_db()
    assert user.email != other.email


@pytest.mark.parametrize(
    "changes", [{"email": "x"}, {"first_name": "x" * 151}, {"phone_number": ["1"]}], ids=str
)
def test_wrong_values_are_named(api: Api, changes: dict[str, Any]) -> None:
    response = api.patch("auth/me/", changes)
    assert code_of(response) == (400, "invalid")
    assert list(response.json()["errors"]) == list(changes)


def test_other_methods_are_refused(api: Api) -> None:
    assert code_of(api.post("auth/me/", {})) == (405, "method-not-allowed")
    assert code_of(api.get("auth/login/")) == (405, "method-not-allowed")

"""Accounts: made once, under names nobody else has."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from config.outbox.models import OutboxEvent
from users.models import User

from .api import PASSWORD, Api, code_of, new_user

ASHA = {"username": "asha", "email": "Asha@Example.ORG", "password": PASSWORD}


def errors_of(response: Any) -> dict[str, list[str]]:
    assert code_of(response) == (400, "invalid")
    errors: dict[str, list[str]] = response.json()["errors"]
    return errors


def test_an_account_is_made_with_the_contracts_answer() -> None:
    body = {**ASHA, "password2": PASSWORD, "first_name": "Asha", "phone_number": "+91 22 1234"}
    response = Api().post("auth/register/", body)

    assert response.status_code == 201
    made = User.objects.get()
    assert response.json() == {
        "id": made.pk, "username": "asha", "email": "Asha@example.org", "role": "user",
    }  # fmt: skip
    assert (made.first_name, made.phone_number) == ("Asha", "+91 22 1234")


def test_passwords_are_kept_as_argon2id() -> None:
    assert new_user().password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_registration_is_a_fact_without_personal_data() -> None:
    user = new_user()
    fact = OutboxEvent.objects.get(kind="account.registered")
    assert (fact.event_id, fact.subject) == (f"user:{user.pk}:registered", f"user:{user.pk}")
    assert fact.body == {"user": user.pk}


@pytest.mark.parametrize(
    ("field", "value"), [("username", "ASHA"), ("email", "aSHA@eXAMPLE.org")], ids=str
)
def test_a_name_in_use_is_refused_whatever_its_case(field: str, value: str) -> None:
    Api().post("auth/register/", ASHA)
    other = {"username": "ravi", "email": "ravi@example.org", "password": PASSWORD, field: value}

    assert list(errors_of(Api().post("auth/register/", other))) == [field]
    assert User.objects.count() == 1


def test_two_who_register_one_name_at_once_make_one_account() -> None:
    together = threading.Barrier(2)

    def register(email: str) -> int:
        together.wait(timeout=10)
        try:
            response = Api().post("auth/register/", {**ASHA, "email": email})
            return int(response.status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as rivals:
        answers = sorted(rivals.map(register, ["one@example.org", "two@example.org"]))

    assert answers == [201, 400]
    assert User.objects.count() == 1


@pytest.mark.parametrize("password", ["short1", "password123", "739182645", "asha-asha"])
def test_weak_passwords_are_refused_by_djangos_validators(password: str) -> None:
    body = {**ASHA, "username": "asha-asha", "password": password}
    assert list(errors_of(Api().post("auth/register/", body))) == ["password"]


def test_two_different_passwords_are_refused() -> None:
    body = {**ASHA, "password2": PASSWORD + "x"}
    assert list(errors_of(Api().post("auth/register/", body))) == ["password2"]


def test_a_username_that_is_an_email_must_be_ones_own() -> None:
    victim = {"username": "victim@example.org", "email": "thief@example.org"}
    refused = Api().post("auth/register/", {**victim, "password": PASSWORD})
    own = {"username": "Own@example.org", "email": "own@example.org"}
    made = Api().post("auth/register/", {**own, "password": PASSWORD})

    assert list(errors_of(refused)) == ["username"]
    assert made.status_code == 201


@pytest.mark.parametrize(
    "wrong",
    [
        {"username": None}, {"username": ["asha"]}, {"username": "a b"}, {"username": "x" * 151},
        {"email": "nothing"}, {"email": 7}, {"phone_number": "1" * 21}, {"password": "x" * 5000},
    ],
    ids=str,
)  # fmt: skip
def test_wrong_values_are_named_and_change_nothing(wrong: dict[str, Any]) -> None:
    assert list(errors_of(Api().post("auth/register/", {**ASHA, **wrong}))) == list(wrong)
    assert not User.objects.exists()


def test_a_registration_sent_twice_with_a_key_makes_one_account_and_answers_alike() -> None:
    first = Api().post("auth/register/", ASHA, idempotency_key="try-1")
    again = Api().post("auth/register/", ASHA, idempotency_key="try-1")

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"


def test_a_registrations_key_used_for_another_body_is_refused() -> None:
    Api().post("auth/register/", ASHA, idempotency_key="try-1")
    other = Api().post("auth/register/", {**ASHA, "first_name": "A"}, idempotency_key="try-1")

    assert code_of(other) == (422, "idempotency-key-reused")


def test_strangers_with_the_same_key_do_not_meet() -> None:
    Api().post("auth/register/", ASHA, idempotency_key="1")
    ravi = {"username": "ravi", "email": "ravi@example.org", "password": PASSWORD}
    assert Api().post("auth/register/", ravi, idempotency_key="1").status_code == 201


def test_a_refused_registration_may_be_sent_again_with_the_same_key() -> None:
    key = "try-1"
    weak = Api().post("auth/register/", {**ASHA, "password": "12345678"}, idempotency_key=key)
    better = Api().post("auth/register/", ASHA, idempotency_key=key)
    assert (weak.status_code, better.status_code) == (400, 201)

"""The API as a client sees it, and accounts to use it with."""

import itertools
import json
import os
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from users.models import User
from users.services.register import NewAccount, register

PASSWORD = "a-fine-Pass-9931"
NEW_PASSWORD = "Monsoon*Quilt*Jackfruit*Velvet"  # too long and without digits: like no name of ours
_numbers = itertools.count(1)


class Api:
    """A client of the HTTP contract: JSON in and out, perhaps with a token."""

    def __init__(self, access: str = "") -> None:
        self.access = access
        self._client = Client(headers={"host": "localhost"})

    def call(
        self, method: str, path: str, body: object = None, raw: bytes | None = None, **headers: str
    ) -> Any:
        if self.access:
            headers.setdefault("authorization", f"Bearer {self.access}")
        content_type = headers.pop("content_type", "application/json")
        data = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        return self._client.generic(
            method,
            f"/api/v1/{path}",
            data,
            content_type=content_type,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )

    def get(self, path: str, **headers: Any) -> Any:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: object = None, **headers: Any) -> Any:
        return self.call("POST", path, body, **headers)

    def patch(self, path: str, body: object) -> Any:
        return self.call("PATCH", path, body)


def new_user(**changed: Any) -> User:
    """A registered traveller with `PASSWORD`; keyword arguments set the model's fields."""
    number = next(_numbers)
    name = f"person{number}-{os.getpid()}"
    account = NewAccount(username=name, email=f"{name}@example.org", password=PASSWORD)
    with transaction.atomic():
        user = register(account=account)
        for field, value in changed.items():
            setattr(user, field, value)
        if changed:
            user.save()
    return user


def log_in(user: User) -> dict[str, Any]:
    """The answer of a login by username and `PASSWORD`."""
    response = Api().post("auth/login/", {"username": user.username, "password": PASSWORD})
    assert response.status_code == 200, response.content
    answer: dict[str, Any] = response.json()
    return answer


def alive(access: str) -> bool:
    """Does this access token still open the profile?"""
    response: HttpResponse = Api(access).get("auth/me/")
    assert response.status_code in {200, 401}, response.content
    return response.status_code == 200


def code_of(response: Any) -> tuple[int, str]:
    """The status and the problem's code of a refusal."""
    assert response.headers["Content-Type"] == "application/problem+json", response.content
    document = json.loads(response.content)
    assert document["status"] == response.status_code
    assert document["type"] == f"/problems/{document['code']}"
    return response.status_code, document["code"]

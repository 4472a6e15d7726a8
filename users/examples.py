"""Requests and answers about accounts, as the API's description shows them."""

from typing import Final

from drf_spectacular.utils import OpenApiExample

_ACCOUNT: Final = {"id": 7, "username": "asha", "email": "asha@example.org", "role": "user"}
_ACCESS: Final = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI3In0.c2lnbmF0dXJl"
_TOKENS: Final = {"access": _ACCESS, "refresh": _ACCESS}


def _request(name: str, value: dict[str, str]) -> OpenApiExample:
    return OpenApiExample(name, value, request_only=True)


def _answer(name: str, value: dict[str, object], status: int) -> OpenApiExample:
    return OpenApiExample(name, value, response_only=True, status_codes=[status])


REGISTRATION: Final = _request(
    "A traveller",
    {"username": "asha", "email": "asha@example.org", "password": "monsoon-Express-11057"},
)
ACCOUNT: Final = _answer("The account", {**_ACCOUNT}, 201)
LOGIN: Final = _request("By username", {"username": "asha", "password": "monsoon-Express-11057"})
LOGGED_IN: Final = _answer("Tokens and account", {**_TOKENS, "user": _ACCOUNT}, 200)
REFRESH: Final = _request("A refresh token", {"refresh": _ACCESS})
TOKENS: Final = _answer("New tokens", {**_TOKENS}, 200)
PROFILE_CHANGE: Final = _request("A phone number", {"phone_number": "+91 22 5550 1234"})
PASSWORD_CHANGE: Final = _request(
    "A change",
    {"old_password": "monsoon-Express-11057", "new_password": "konkan-Kanya-10111"},
)

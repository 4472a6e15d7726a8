"""Access tokens: checked without SQL, and refused for every reason there is."""

import base64
import json
import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from django.conf import settings as django_settings
from django.test import RequestFactory
from pytest_django import DjangoAssertNumQueries

from config import clock
from config.errors import NotAuthenticated, TokenExpired
from users import claims
from users.models import User
from users.tokens import Caller, caller_of, optional_caller

from .api import Api, code_of


def forged(key: str | None = None, algorithm: str = "HS256", **changed: object) -> str:
    """A token as ours, but for what is given; None leaves a claim out."""
    said = {
        "sub": "7", "sid": str(uuid4()), "staff": False, "jti": "j", "token_type": "access",
        "iat": int(time.time()), "exp": int(time.time()) + 60, **changed,
    }  # fmt: skip
    said = {name: value for name, value in said.items() if value is not None}
    return jwt.encode(said, key or django_settings.SECRET_KEY, algorithm=algorithm)


def unsigned() -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    said = {"sub": "7", "sid": "s", "staff": True, "jti": "j", "token_type": "access",
            "exp": int(time.time()) + 60}  # fmt: skip
    return f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(said)}."


def request(header: str) -> Any:
    return RequestFactory().get("/", headers={"authorization": header})


def test_a_token_is_checked_without_sql(
    user: User, login: dict[str, Any], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    sid = str(user.logins.get().sid)
    with django_assert_num_queries(0):
        seen = [caller_of(request(f"Bearer {login['access']}")) for _ in range(3)]
    assert seen == [Caller(user_id=user.pk, is_staff=False, sid=sid)] * 3


def test_a_drf_view_loads_no_user_either(
    api: Api, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):  # the profile itself
        assert api.get("auth/me/").status_code == 200


def test_a_signature_is_checked_once_and_the_expiry_each_time(
    login: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = request(f"Bearer {login['access']}")
    caller_of(asked)
    monkeypatch.setattr(claims, "_decoder", None)  # it is not asked again
    caller_of(asked)
    lifetime = timedelta(seconds=django_settings.ENV.access_token_seconds)
    with clock.moved(lifetime - timedelta(seconds=5)):
        caller_of(asked)
    with clock.moved(lifetime), pytest.raises(TokenExpired):
        caller_of(asked)


def test_remembered_tokens_are_bounded() -> None:
    assert claims._signed.cache_info().maxsize == claims.REMEMBERED_TOKENS


def test_refused_tokens_are_not_remembered() -> None:
    for _ in range(3):
        with pytest.raises(NotAuthenticated):
            caller_of(request(f"Bearer {forged(key='x' * 40)}"))
    assert claims._signed.cache_info().currsize == 0


@pytest.mark.parametrize(
    "token",
    [
        "", "x", "a.b.c", "é.é.é", "x" * 3000, unsigned(), forged(key="x" * 40),
        forged(token_type="refresh"), forged(token_type=None),
        forged(sub=None), forged(sub="abc"), forged(sid=None), forged(exp=None), forged(exp="soon"),
        forged(jti=None), forged(staff=None),
    ],
)  # fmt: skip
def test_a_token_that_is_not_ours_is_refused(token: str) -> None:
    response = Api().get("auth/me/", authorization=f"Bearer {token}")
    assert code_of(response) == (401, "not-authenticated")
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_a_token_signed_by_another_algorithm_is_refused() -> None:
    with pytest.raises(NotAuthenticated):
        caller_of(request(f"Bearer {forged(algorithm='HS512')}"))


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "Token abc", "bearer  "])
def test_another_scheme_is_refused(header: str) -> None:
    response = Api().get("auth/me/", authorization=header)
    assert code_of(response) == (401, "not-authenticated")


def test_no_token_is_refused_where_one_is_needed() -> None:
    assert code_of(Api().get("auth/me/")) == (401, "not-authenticated")


def test_an_old_token_says_so(login: dict[str, Any]) -> None:
    with clock.moved(timedelta(seconds=django_settings.ENV.access_token_seconds + 1)):
        response = Api(login["access"]).get("auth/me/")
    assert code_of(response) == (401, "token-expired")


def test_only_true_makes_staff() -> None:
    token = forged(staff="yes")
    assert not caller_of(request(f"Bearer {token}"), check_ended=False).is_staff


def test_a_bad_token_is_refused_on_open_calls_too() -> None:
    body = {"username": "asha", "email": "asha@example.org", "password": "a-fine-Pass-9931"}
    response = Api("nonsense").post("auth/register/", body)
    assert code_of(response) == (401, "not-authenticated")
    assert not User.objects.exists()


def test_nobody_is_nobody_on_open_calls() -> None:
    assert optional_caller(RequestFactory().get("/")) is None

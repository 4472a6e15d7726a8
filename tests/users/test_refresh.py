"""Refresh tokens: each is good for one trade."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection

from config import clock
from config.outbox.models import OutboxEvent
from users.models import User

from .api import Api, alive, code_of, log_in


def trade(refresh: str) -> Any:
    return Api().post("auth/refresh/", {"refresh": refresh})


def test_a_refresh_gives_new_tokens_of_the_same_login(user: User, login: dict[str, Any]) -> None:
    new = trade(login["refresh"])

    assert new.status_code == 200
    assert set(new.json()) == {"access", "refresh"}
    assert new.json()["refresh"] != login["refresh"]
    assert alive(new.json()["access"])
    assert alive(login["access"])
    assert user.logins.count() == 1


def test_a_traded_token_sent_again_ends_the_login(user: User, login: dict[str, Any]) -> None:
    new = trade(login["refresh"]).json()
    other = log_in(user)

    assert code_of(trade(login["refresh"])) == (401, "not-authenticated")
    assert code_of(trade(new["refresh"])) == (401, "not-authenticated")
    assert not alive(new["access"])
    assert not alive(login["access"])
    assert alive(other["access"])
    ended = OutboxEvent.objects.get(kind="account.logout")
    assert ended.body["reason"] == "refresh-reused"


def test_of_two_trades_at_once_one_wins_and_the_login_ends(
    user: User, login: dict[str, Any]
) -> None:
    together = threading.Barrier(2)

    def rival(_: int) -> int:
        together.wait(timeout=10)
        try:
            return int(trade(login["refresh"]).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as rivals:
        assert sorted(rivals.map(rival, range(2))) == [200, 401]
    assert user.logins.get().ended_at is not None


def test_an_old_refresh_token_says_so(login: dict[str, Any]) -> None:
    with clock.moved(timedelta(seconds=django_settings.ENV.refresh_token_seconds + 1)):
        assert code_of(trade(login["refresh"])) == (401, "token-expired")


def test_a_trade_moves_the_end_of_the_login(user: User, login: dict[str, Any]) -> None:
    before = user.logins.get().expires_at
    with clock.moved(timedelta(hours=1)):
        assert trade(login["refresh"]).status_code == 200
    assert timedelta(minutes=59) < user.logins.get().expires_at - before < timedelta(minutes=61)


def test_new_staff_rights_come_with_the_next_trade(user: User, login: dict[str, Any]) -> None:
    user.is_staff = True
    user.save()
    assert alive(login["access"])
    assert log_in(user)["user"]["role"] == "admin"
    new = trade(login["refresh"]).json()
    from users.claims import read

    assert read(new["access"], kind="access").caller.is_staff
    assert not read(login["access"], kind="access").caller.is_staff


@pytest.mark.parametrize("refresh", ["", "nonsense", "x" * 2500, 7, None, "a\ud800"], ids=ascii)
def test_nonsense_gets_a_problem(refresh: object) -> None:
    status, code = code_of(Api().post("auth/refresh/", {"refresh": refresh}))
    assert (status, code) in {(400, "invalid"), (401, "not-authenticated")}


def test_an_access_token_cannot_be_traded(login: dict[str, Any]) -> None:
    assert code_of(trade(login["access"])) == (401, "not-authenticated")

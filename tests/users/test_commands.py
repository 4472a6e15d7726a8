"""Demo accounts, tokens for load tests, and forgetting logins that are over."""

import logging
import stat
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from config import clock
from users.claims import read
from users.models import Login, User
from users.services import ensure_demo_accounts
from users.tasks import purge_logins

from .api import Api, alive, log_in


def embedded(settings: Settings, value: str) -> None:
    settings.ENV = settings.ENV.model_copy(update={"seatlock_embedded": value})


def test_demo_accounts_are_made_loudly_with_embedded_stores(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    embedded(settings, "1")
    made = ensure_demo_accounts()
    assert [(user.username, user.role) for user in made] == [
        ("admin", "admin"), ("traveller", "user"),
    ]  # fmt: skip
    for name in ("admin", "traveller"):
        body = {"username": name, "password": f"seatlock-{name}"}
        assert Api().post("auth/login/", body).status_code == 200
    assert any("DEMO ACCOUNTS" in line.message and line.levelno == logging.WARNING
               for line in caplog.records)  # fmt: skip


def test_demo_accounts_that_are_there_stay_as_they_are(settings: Settings) -> None:
    embedded(settings, "1")
    admin = ensure_demo_accounts()[0]
    admin.set_password("my-own-Pass-1")
    admin.save()
    ensure_demo_accounts()
    assert User.objects.get(username="admin").check_password("my-own-Pass-1")
    assert User.objects.count() == 2


def test_there_are_no_demo_accounts_beside_servers_of_ones_own(settings: Settings) -> None:
    embedded(settings, "0")
    assert ensure_demo_accounts() == []
    assert not User.objects.exists()


def test_minted_tokens_are_good_and_kept_from_others(tmp_path: Path) -> None:
    output = tmp_path / "tokens"
    call_command("mint_tokens", "--count", "3", "--output", str(output), stdout=StringIO())
    call_command("mint_tokens", "--count", "5", "--output", str(output), stdout=StringIO())

    tokens = output.read_text().split()
    assert len({read(token, kind="access").caller.user_id for token in tokens}) == 5
    assert all(alive(token) for token in tokens)
    assert User.objects.count() == 5
    assert stat.S_IMODE(output.stat().st_mode) == 0o600


def test_logins_are_forgotten_once_all_their_tokens_are_dead(
    user: User, settings: Settings
) -> None:
    ended: dict[str, Any] = log_in(user)
    Api(ended["access"]).post("auth/logout/", {"refresh": ended["refresh"]})
    going_on = log_in(user)

    assert purge_logins() == 0
    with clock.moved(timedelta(seconds=settings.ENV.access_token_seconds + 60)):
        assert purge_logins() == 1
    assert alive(going_on["access"])
    later = settings.ENV.refresh_token_seconds + settings.ENV.access_token_seconds + 60
    with clock.moved(timedelta(seconds=later)):
        assert purge_logins() == 1
    assert not Login.objects.exists()


def test_forgetting_goes_in_bounded_statements(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    from users.services import purge_logins as service

    monkeypatch.setattr(service, "BATCH", 2)
    now = clock.now()
    Login.objects.bulk_create(
        Login(user=user, created_at=now, expires_at=now - timedelta(days=2)) for _ in range(5)
    )
    with CaptureQueriesContext(connection) as queries:
        assert purge_logins() == 5
    assert sum("DELETE" in query["sql"] for query in queries) == 3

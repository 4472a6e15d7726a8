"""The API trusts no cookie; pages keep all that Django does for them."""

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.test import Client

from tests.users.api import code_of
from users.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser() -> Client:
    """Somebody signed in to the admin by a cookie; CSRF is checked as in real life."""
    staff = User.objects.create_superuser("staff", "staff@example.org", "x")
    client = Client(enforce_csrf_checks=True, headers={"host": "localhost"})
    client.force_login(staff)
    return client


def test_a_cookie_is_nobody_to_the_api(browser: Client) -> None:
    assert code_of(browser.get("/api/v1/auth/me/")) == (401, "not-authenticated")
    change = browser.patch("/api/v1/auth/me/", {}, content_type="application/json")
    assert code_of(change) == (401, "not-authenticated")


def test_the_api_sets_no_cookie_and_needs_no_csrf_token(browser: Client) -> None:
    response = browser.post("/api/v1/auth/login/", {}, content_type="application/json")
    assert code_of(response) == (400, "invalid")
    assert not response.cookies


def test_pages_know_their_user_and_want_a_csrf_token(browser: Client) -> None:
    page = browser.get("/admin/")
    assert page.status_code == 200
    assert page.headers["X-Frame-Options"] == "DENY"
    assert browser.post("/admin/users/user/add/", {"username": "x"}).status_code == 403


NAMES = ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "LANGUAGE_COOKIE_SECURE")
ASK = f"""
import json
from config import settings
print(json.dumps([[getattr(settings, name) for name in {NAMES}], settings.CSRF_TRUSTED_ORIGINS]))
"""


def test_cookies_go_over_https_alone_where_the_public_address_is_https() -> None:
    assert not any(getattr(settings, name) for name in NAMES)
    environment = {**os.environ, "PUBLIC_URL": "https://seats.example.org/booking/"}
    said = subprocess.run(
        [sys.executable, "-c", ASK], env=environment, check=True, capture_output=True, text=True
    ).stdout
    assert json.loads(said) == [[True, True, True], ["https://seats.example.org"]]

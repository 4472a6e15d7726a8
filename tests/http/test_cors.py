"""Browsers of other sites: only those the operator named, and they see the headers they need."""

import pytest
from django.test import Client
from pytest_django import Settings

pytestmark = pytest.mark.django_db
SITE = "https://shop.example"


@pytest.fixture
def browser(settings: Settings) -> Client:
    settings.CORS_ALLOWED_ORIGINS = [SITE]
    return Client(headers={"host": "localhost"})


def test_a_named_site_may_send_a_token_and_a_key(browser: Client) -> None:
    asked = {
        "origin": SITE, "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,idempotency-key",
    }  # fmt: skip
    response = browser.options("/api/v1/auth/me/", headers=asked)
    assert response.headers["Access-Control-Allow-Origin"] == SITE
    allowed = response.headers["Access-Control-Allow-Headers"].split(", ")
    assert {"authorization", "content-type", "idempotency-key"} <= set(allowed)


def test_a_named_site_sees_the_headers_of_answers_and_refusals(browser: Client) -> None:
    response = browser.get("/api/v1/auth/me/", headers={"origin": SITE})
    assert response.status_code == 401
    assert response.headers["Access-Control-Allow-Origin"] == SITE
    exposed = response.headers["Access-Control-Expose-Headers"].split(", ")
    assert {"Idempotency-Replayed", "Retry-After"} <= set(exposed)


def test_another_site_gets_nothing(browser: Client) -> None:
    response = browser.get("/api/v1/auth/me/", headers={"origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in response.headers


def test_even_what_the_door_refuses_can_be_read(browser: Client) -> None:
    response = browser.get("/api/v1/auth/me/?q=%00", headers={"origin": SITE})
    assert response.status_code == 400
    assert response.headers["Access-Control-Allow-Origin"] == SITE

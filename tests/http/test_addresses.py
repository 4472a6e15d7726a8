"""Whose address counts, behind proxies and without."""

from typing import Any

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from config.http.addresses import client_address, client_network


def seen(settings: Settings, trusted: int, forwarded: str | None, socket: str = "10.0.0.1") -> str:
    settings.ENV = settings.ENV.model_copy(update={"trusted_proxies": trusted})
    headers: dict[str, Any] = {} if forwarded is None else {"x-forwarded-for": forwarded}
    return client_address(RequestFactory().get("/", headers=headers, REMOTE_ADDR=socket))


@pytest.mark.parametrize(
    ("trusted", "forwarded", "expected"),
    [
        (0, "192.0.2.66", "10.0.0.1"),  # nobody is trusted: a claim
        (1, "192.0.2.1", "192.0.2.1"),
        (1, "192.0.2.66, 192.0.2.1", "192.0.2.1"),  # the left one is the caller's own claim
        (2, "192.0.2.66, 192.0.2.1, 10.0.0.2", "192.0.2.1"),
        (2, "192.0.2.66", "10.0.0.1"),  # did not come through both
        (1, None, "10.0.0.1"),
        (1, "", "10.0.0.1"),
    ],
)
def test_the_last_untrusted_hop_counts(
    settings: Settings, trusted: int, forwarded: str | None, expected: str
) -> None:
    assert seen(settings, trusted, forwarded) == expected


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("nonsense", "unknown"),
        ("", "unknown"),
    ],
)
def test_limits_count_by_what_one_subscriber_commands(address: str, network: str) -> None:
    assert client_network(RequestFactory().get("/", REMOTE_ADDR=address)) == network

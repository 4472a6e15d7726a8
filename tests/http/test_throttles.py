"""Rate limits: by user and by address, shared by all processes, in one round trip."""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis
from django.test import Client, RequestFactory
from django_redis import get_redis_connection  # type: ignore[import-untyped]
from pytest_django import Settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.errors import Throttled
from config.http import throttles
from config.http.throttles import Quota, Rate, check

pytestmark = pytest.mark.usefixtures("throttles_on")


def request(address: str = "192.0.2.1") -> Any:
    return RequestFactory().get("/", REMOTE_ADDR=address)


@pytest.fixture(autouse=True)
def _small_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    rate = Rate(address=Quota(5, 3600), user=Quota(3, 3600), subject=Quota(2, 3600))
    monkeypatch.setitem(throttles.RATES, "read", rate)


def passed(limit: int = 50, **kwargs: Any) -> int:
    """How many calls pass before one is refused."""
    for count in range(limit):
        try:
            check(kwargs.get("asked") or request(), "read", kwargs.get("user_id"),
                  subject=kwargs.get("subject", ""))  # fmt: skip
        except Throttled:
            return count
    return limit


def test_an_address_gets_its_quota() -> None:
    assert passed() == 5
    assert passed(asked=request("192.0.2.2")) == 5


def test_a_user_gets_a_quota_from_any_address() -> None:
    assert passed(user_id=1) == 3
    assert passed(user_id=1, asked=request("192.0.2.9")) == 0
    assert passed(user_id=2, asked=request("192.0.2.9")) == 3


def test_a_subject_gets_a_quota_and_is_not_written_down() -> None:
    assert passed(subject="asha@example.org") == 2
    cache = get_redis_connection("default")
    keys = [bytes(key) for key in cache.scan_iter("seatlock:throttle:{read}:*")]
    assert keys
    assert not any(b"asha" in key for key in keys)


def test_a_refused_call_is_charged_to_nobody() -> None:
    assert passed(user_id=1) == 3
    for _ in range(10):
        assert passed(user_id=1) == 0
    assert passed(limit=2, user_id=2) == 2  # the address still had two of its five


def test_every_bucket_must_have_room() -> None:
    assert passed(user_id=1) == 3
    assert passed(user_id=2) == 2  # of the address' five; the user would have one more


def test_a_bucket_nobody_asked_for_long_is_full_and_no_fuller() -> None:
    cache = get_redis_connection("default")
    an_hour_ago = int((time.time() - 3600) * 1_000_000)
    cache.set("seatlock:throttle:{read}:address:192.0.2.1", an_hour_ago)
    assert passed() == 5


def test_the_wait_is_when_the_next_call_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(throttles.RATES, "read", Rate(address=Quota(2, 1)))
    assert passed() == 2
    with pytest.raises(Throttled) as refused:
        check(request(), "read")
    assert refused.value.data == {"retry_after_seconds": 1}
    deadline = time.monotonic() + 5
    while passed(limit=1) == 0:
        assert time.monotonic() < deadline
    assert passed(limit=2) < 2  # half a second refills one of two


def test_counters_die_once_the_bucket_is_full_again() -> None:
    passed(limit=1)
    cache = get_redis_connection("default")
    ttl = cache.pttl("seatlock:throttle:{read}:address:192.0.2.1")
    assert 700_000 < ttl <= 720_000  # one of five an hour


def test_a_check_is_one_round_trip(monkeypatch: pytest.MonkeyPatch) -> None:
    check(request(), "read", 1)  # loads the script
    sent: list[Any] = []
    execute: Callable[..., Any] = redis.Redis.execute_command

    def counted(client: "redis.Redis", *args: Any, **options: Any) -> Any:
        sent.append(args[0])
        return execute(client, *args, **options)

    monkeypatch.setattr(redis.Redis, "execute_command", counted)
    check(request(), "read", 1)
    assert sent == ["EVALSHA"]


def test_another_process_counts_on() -> None:
    code = (
        "import django; django.setup()\n"
        "from django.test import RequestFactory\n"
        "from config.http.throttles import RATES, Quota, Rate, check\n"
        "RATES['read'] = Rate(address=Quota(5, 3600))\n"
        "for _ in range(4): check(RequestFactory().get('/', REMOTE_ADDR='192.0.2.1'), 'read')\n"
    )
    environment = os.environ | {"THROTTLES": "on", "DJANGO_SETTINGS_MODULE": "config.settings"}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=60)
    assert passed() == 1


def test_off_is_off(settings: Settings) -> None:
    settings.ENV = settings.ENV.model_copy(update={"throttles": "off"})
    assert passed(limit=20) == 20


def test_everything_passes_while_the_cache_is_away(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    dead = redis.Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0))
    with monkeypatch.context() as away, caplog.at_level(logging.WARNING):
        away.setattr(throttles, "get_redis_connection", lambda _: dead)
        assert passed(limit=20) == 20
        monkeypatch.setattr(throttles._outage, "_resting_until", 0.0)
        assert passed(limit=20) == 20
    assert sum("rate limits are off" in line for line in caplog.messages) == 1
    monkeypatch.setattr(throttles._outage, "_resting_until", 0.0)
    assert passed() == 5
    assert sum("rate limits are on again" in line for line in caplog.messages) == 1


def test_a_throttled_call_says_when_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(throttles.RATES, "register", Rate(address=Quota(1, 60)))
    client = Client(headers={"host": "localhost"})
    for _ in range(2):
        response = client.post("/api/v1/auth/register/", {}, content_type="application/json")
    assert response.status_code == 429
    assert response.headers["Retry-After"] in {"59", "60"}
    document = response.json()
    assert document["code"] == "throttled"
    assert document["retry_after_seconds"] == int(response.headers["Retry-After"])


def test_logins_are_limited_by_name_from_any_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        throttles.RATES, "login", Rate(address=Quota(100, 60), subject=Quota(1, 60))
    )
    check(request("192.0.2.1"), "login", subject="asha")
    with pytest.raises(Throttled):
        check(request("192.0.2.2"), "login", subject="asha")


def test_logins_and_registrations_are_stricter_than_the_rest() -> None:
    def per_minute(scope: str) -> float:
        quota = throttles.RATES[scope].address
        return quota.requests / quota.seconds

    others = set(throttles.RATES) - {"login", "register", "guest", "claim", "read"}
    assert max(per_minute("login"), per_minute("register")) < min(map(per_minute, others))

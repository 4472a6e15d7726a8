"""Rate limits by user and by address, in the cache's Redis, shared by every process.

One round trip a check. Promises: a class of calls (`RATES`) passes no faster than its quotas, and
who is refused is told when to come again. Relies on: the cache's server. Never does: fail a
request because that server is away; then everything passes, and it is said once in the log.

The library `limits` was looked at: it asks about one key at a time and needs a second question to
know when to come again, so a check of user and address would take two to four round trips.
"""

import hashlib
import logging
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import redis
from django.conf import settings
from django.http import HttpRequest
from django_redis import get_redis_connection  # type: ignore[import-untyped]
from redis.commands.core import Script
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from config.errors import Throttled
from config.http.addresses import client_network
from config.http.requests import django_request
from config.stores.outage import Outage

if TYPE_CHECKING:  # DRF's views import this module while they are being imported
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)

BREATHER_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Quota:
    """`requests` at once, refilled evenly over `seconds`."""

    requests: int
    seconds: int

    @property
    def refill_microseconds(self) -> int:
        return self.seconds * 1_000_000 // self.requests


@dataclass(frozen=True, slots=True)
class Rate:
    """The quotas of a class of calls; `subject` is for what is named in the body (a login)."""

    address: Quota
    user: Quota | None = None
    subject: Quota | None = None


# Many travellers may share one address (an office, a mobile network), so addresses get more.
RATES: Final[dict[str, Rate]] = {
    "register": Rate(address=Quota(30, 300)),
    "login": Rate(address=Quota(30, 60), subject=Quota(10, 60)),
    "key": Rate(address=Quota(600, 60)),  # API keys that this process has not seen before
    "guest": Rate(address=Quota(60, 300)),
    "claim": Rate(address=Quota(30, 300), user=Quota(5, 300), subject=Quota(5, 3600)),
    "account": Rate(address=Quota(60, 60), user=Quota(30, 60)),
    "reserve": Rate(address=Quota(1200, 60), user=Quota(120, 60)),
    "confirm": Rate(address=Quota(1200, 60), user=Quota(120, 60)),
    "write": Rate(address=Quota(600, 60), user=Quota(120, 60)),
    "read": Rate(address=Quota(1200, 60), user=Quota(600, 60)),
    # A gateway sends in bursts from few addresses, and what it signs is what counts.
    "webhook": Rate(address=Quota(6000, 60)),
    "staff": Rate(address=Quota(2400, 60), user=Quota(1200, 60)),
}


_outage = Outage(
    logger,
    lost="rate limits are off, the cache's server is away",
    back="rate limits are on again",
    rest_seconds=BREATHER_SECONDS,
)


@cache
def _script() -> Script:
    source = Path(__file__).with_name("throttle.lua").read_text()
    script: Script = get_redis_connection("default").register_script(source)
    return script


def check(
    request: HttpRequest, scope: str, user_id: int | None = None, *, subject: str = ""
) -> None:
    """Count one call of this class, or raise `Throttled` with the seconds to wait.

    `scope` is a key of `RATES`. `subject`: what the body names, where it has a quota of its own;
    only its hash reaches the cache's server.
    """
    if settings.ENV.throttles == "off":
        return
    rate = RATES[scope]
    # One hash tag a scope: both keys of a check must lie in one slot of a cluster.
    prefix = f"seatlock:throttle:{{{scope}}}"
    quotas = {f"{prefix}:address:{client_network(request)}": rate.address}
    if user_id is not None and rate.user is not None:
        quotas[f"{prefix}:user:{user_id}"] = rate.user
    if subject and rate.subject is not None:
        quotas[f"{prefix}:subject:{hashlib.sha256(subject.encode()).hexdigest()}"] = rate.subject
    _count(quotas)


def check_key(prefix: str, calls_per_minute: int) -> None:
    """The same for an API key, which has one quota of its own for all its calls, and no other:
    a partner's servers share few addresses. Raises `Throttled`.
    """
    _count({f"seatlock:throttle:{{key}}:{prefix}": Quota(calls_per_minute, 60)})


def _count(quotas: dict[str, Quota]) -> None:
    if settings.ENV.throttles == "off" or _outage.is_resting:
        return
    numbers = [n for q in quotas.values() for n in (q.refill_microseconds, q.requests)]
    try:
        wait = _script()(list(quotas), numbers, client=get_redis_connection("default"))
    except redis.RedisError as error:
        _outage.failed(error)
        return
    _outage.answered()
    if wait:
        raise Throttled(math.ceil(wait / 1_000_000))


class ScopedThrottle(BaseThrottle):
    """DRF's `DEFAULT_THROTTLE_CLASSES`: the class of calls is the view's `throttle_scope`, else
    `read` or `write` by the method.
    """

    def allow_request(self, request: Request, view: "APIView") -> bool:
        by_method = "read" if request.method in SAFE_METHODS else "write"
        scope = getattr(view, "throttle_scope", None) or by_method
        key = getattr(request.auth, "key", None)  # a caller's; this layer knows no callers
        if key is not None:
            check_key(key.prefix, key.calls_per_minute)
        else:
            check(django_request(request), scope, request.user.pk)
        return True

"""The client of the holds' store (REDIS_URL): one pool a process, bytes in and out."""

from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry


@cache
def holds_store() -> "redis.Redis":
    """The primary that holds live in.

    One immediate retry, which a connection that died in the pool needs; every script is safe to
    repeat. Raises `redis.ConnectionError` or `TimeoutError` within REDIS_TIMEOUT_SECONDS.
    """
    return redis.Redis.from_url(
        settings.ENV.redis_url,
        socket_timeout=settings.ENV.redis_timeout_seconds,
        socket_connect_timeout=settings.ENV.redis_timeout_seconds,
        retry=Retry(NoBackoff(), 1),
        protocol=2,
    )


def as_bytes(value: object) -> bytes | None:
    """What a read command gave: bytes, or None for a key that is not there."""
    assert value is None or isinstance(value, bytes), value  # noqa: S101  # the pool decodes nothing
    return value

"""The marks of ended logins in Redis: how a logout is seen by every process at once.

    logout                       another call of that login
    ------                       --------------------------
    PostgreSQL: ended_at = now
    COMMIT
    Redis: {0}:ended:<sid> … {63}:ended:<sid>
                                 one look into {0} (or the script's own slot): dead
    204

PostgreSQL is the truth, a mark is its shadow for as long as an access token may live. Redis says
with one more key, `{0}:marks`, that its marks are complete. That key dies with Redis's memory, so
after a flush every reader knows that it must ask PostgreSQL until
`users.services.restore_ended_marks` has written the marks again. A mark that could not be written
is owed: this process writes it before it looks again, and the periodic task does if the process
is gone by then.
"""

import logging
import threading
from collections.abc import Iterable, Mapping
from typing import Any, Final

import redis
from django.conf import settings

from config.stores import keys
from config.stores.outage import Outage
from config.stores.redis import holds_store

logger = logging.getLogger(__name__)

COMPLETE: Final = b"complete:"
OWED_AT_MOST: Final = 10_000
LOGINS_PER_PIPELINE: Final = 100

_outage = Outage(
    logger,
    lost="marks of ended logins cannot be read, PostgreSQL is asked instead",
    back="marks of ended logins can be read again",
)
_owed: set[str] = set()
_owed_lock = threading.Lock()


def look(sid: str) -> bool | None:
    """Is this login marked as ended? None: Redis cannot say, ask PostgreSQL. One round trip."""
    try:
        if _owed:
            _pay()
        ((mark, complete),) = holds_store().ask([("MGET", keys.ended(0, sid), keys.marks(0))])
    except redis.RedisError as down:
        _outage.failed(down)
        return None
    _outage.answered()
    if mark is not None:
        return True
    return False if complete is not None and complete.startswith(COMPLETE) else None


def are_complete() -> bool:
    """Does Redis have every mark, as far as it says itself? Raises `redis.RedisError`."""
    complete: Any = holds_store().get(keys.marks(0))
    return complete is not None and complete.startswith(COMPLETE)


def write(sids: Iterable[str]) -> None:
    """Mark logins as ended in every shard. Never raises: what cannot be written now is owed."""
    sids = list(sids)
    try:
        put(dict.fromkeys(sids, settings.ENV.access_token_seconds))
    except redis.RedisError as down:
        logger.warning("%s ended login(s) not marked yet: %s", len(sids), down)
        with _owed_lock:
            _owed.update(sids[: OWED_AT_MOST - len(_owed)])


def put(seconds_by_sid: Mapping[str, int]) -> None:
    """Write marks, each with its own TTL in seconds: one pipeline for up to 100 logins.

    Raises `redis.RedisError`.
    """
    marks = list(seconds_by_sid.items())
    for start in range(0, len(marks), LOGINS_PER_PIPELINE):
        pipeline = holds_store().pipeline(transaction=False)
        for sid, seconds in marks[start : start + LOGINS_PER_PIPELINE]:
            for shard in range(keys.SHARDS):
                pipeline.set(keys.ended(shard, sid), 1, ex=max(seconds, 1))
        pipeline.execute()


def _pay() -> None:
    """Write the marks this process owes. Raises `redis.RedisError`, and then still owes them."""
    with _owed_lock:
        due = set(_owed)
    put(dict.fromkeys(due, settings.ENV.access_token_seconds))
    with _owed_lock:
        _owed.difference_update(due)

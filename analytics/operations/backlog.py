"""How far MongoDB is behind, and what went wrong on the way: for the dashboard and /metrics.

Each part asks one store and is None while that store is away, so that the rest is still seen.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

import pymongo
from django.db import Error as DatabaseError
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError, ResponseError

from analytics.schema import DEAD_LETTERS, GAPS, SHIPPING
from analytics.shipping.gaps import SHIPPER
from config.outbox.models import OutboxEvent
from config.stores import keys
from config.stores.mongo import audit_database
from config.stores.redis import as_bytes, holds_store
from config.stores.timing import patiently

T = TypeVar("T")

ANSWER_SECONDS: Final = 2.0
COUNT_CAP: Final = 100_000
AWAY: Final = (RedisError, PyMongoError, DatabaseError)


@dataclass(frozen=True, kw_only=True)
class StreamBacklog:
    """What waits in Redis.

    `requests_dropped`: log entries that are lost, because a process had no room for them or the
    stream's cap cut them off. `odd_members`: members of holds that no script could read.
    """

    hold_facts: int
    requests: int
    requests_dropped: int
    odd_members: int


@dataclass(frozen=True, kw_only=True)
class SinkState:
    """What MongoDB says. `shipper_seen_at`: when the shipper last looked at Redis and MongoDB."""

    dead_letters: int
    gaps: int
    shipper_seen_at: datetime | None


def outbox_pending() -> int:
    """Facts in PostgreSQL that were not shipped; counting stops at COUNT_CAP."""
    waiting = OutboxEvent.objects.filter(shipped_at=None).order_by()
    return waiting.values("pk")[:COUNT_CAP].count()


@patiently()
def stream_backlog() -> StreamBacklog:
    """Three round trips. Raises `RedisError`."""
    pipe = holds_store().pipeline(transaction=False)
    for shard in range(keys.SHARDS):
        pipe.xlen(keys.audit(shard))
    for shard in range(keys.SHARDS):
        pipe.llen(keys.odd(shard))
    pipe.xlen(keys.REQUESTS)
    pipe.get(keys.REQUESTS_DROPPED)
    *lengths, requests, dropped = pipe.execute()
    return StreamBacklog(
        hold_facts=sum(lengths[: keys.SHARDS]),
        odd_members=sum(lengths[keys.SHARDS :]),
        requests=requests,
        requests_dropped=int(dropped or 0) + _cut_off(),
    )


def _cut_off() -> int:
    """Entries the cap of the request log has cost: added, neither acknowledged nor there."""
    try:
        stream: Any = holds_store().xinfo_stream(keys.REQUESTS)
    except ResponseError:  # nothing was logged yet
        return 0
    acknowledged = int(as_bytes(holds_store().get(keys.REQUESTS_ACKNOWLEDGED)) or 0)
    return max(0, int(stream["entries-added"]) - acknowledged - int(stream["length"]))


def sink_state() -> SinkState:
    """Raises `PyMongoError`."""
    with pymongo.timeout(ANSWER_SECONDS):
        database = audit_database()
        seen = database[SHIPPING].find_one({"_id": SHIPPER}) or {}
        return SinkState(
            dead_letters=database[DEAD_LETTERS].estimated_document_count(),
            gaps=database[GAPS].estimated_document_count(),
            shipper_seen_at=seen.get("seen_at"),
        )


def or_none(ask: Callable[[], T]) -> T | None:
    """What `ask` says, or None if the store it asks is away."""
    try:
        return ask()
    except AWAY:
        return None

"""One run of the shipper: every source, batch by batch, until all are empty or time is up.

    MongoDB fails     the run ends, all is left where it is, the next try comes after a while
    a source fails    the others go on; that one is tried again after a while

The lease keeps two runs from doing the same work; nothing else rests on it.
"""

import logging
import time
from collections import defaultdict
from datetime import UTC, datetime
from typing import Final

import pymongo
from django.db import Error as DatabaseError
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError

from analytics.schema import ensure_schema
from analytics.shipping.backoff import Backoff
from analytics.shipping.dead_letters import bury
from analytics.shipping.gaps import note_drained, notice_losses
from analytics.shipping.hold_facts import HOLD_FACTS
from analytics.shipping.messages import Source
from analytics.shipping.outbox import OUTBOX
from analytics.shipping.requests import REQUEST_LOG
from analytics.shipping.sink import insert_new
from config.stores import keys
from config.stores.leases import one_at_a_time
from config.stores.mongo import require_mongo

logger = logging.getLogger(__name__)

SOURCES: Final = (OUTBOX, HOLD_FACTS, REQUEST_LOG)
BUDGET_SECONDS: Final = 5.0
LEASE_SECONDS: Final = 10.0
SCHEMA_SECONDS: Final = 20.0
CHUNK_SIZE: Final = 1_000

MONGO: Final = "mongo"
MEMORY: Final = "memory"

_backoffs: defaultdict[str, Backoff] = defaultdict(Backoff)
_schemas_ensured: set[str] = set()


def ship_pending(*, budget_seconds: float = BUDGET_SECONDS) -> int:
    """Ship what waits, for about `budget_seconds`; return how many messages left their source.

    Never raises for a store that is away: it logs, and stays away from that store for a while.
    """
    if not _backoffs[MONGO].is_over:
        return 0
    with one_at_a_time(keys.SHIPPER_LEASE, seconds=LEASE_SECONDS) as is_ours:
        if not is_ours:
            return 0
        try:
            _prepare()
            shipped = _drain(time.monotonic() + budget_seconds)
        except PyMongoError as failed:
            _schemas_ensured.clear()
            _say_failed(MONGO, failed)
            return 0
    _backoffs[MONGO].succeeded()
    return shipped


def ship_batch(source: Source) -> tuple[int, bool]:
    """One batch of one source; how many messages it had, and whether more wait.

    Raises what the source or MongoDB raises; whatever was not finished will be read again.
    """
    batch = source.read()
    for start in range(0, len(batch.messages), CHUNK_SIZE):
        chunk = batch.messages[start : start + CHUNK_SIZE]
        readable = [message for message in chunk if message.document is not None]
        letters = [(message, message.problem) for message in chunk if message.document is None]
        rejected = insert_new(source.collection, [each.document or {} for each in readable])
        letters += [(readable[each.position], each.reason) for each in rejected]
        if letters:
            bury(source.name, letters)
        source.forget(chunk)
    return len(batch.messages), batch.more


def forget_failures() -> None:
    """Try every store at once again."""
    _backoffs.clear()
    _schemas_ensured.clear()


def _prepare() -> None:
    """What comes before the first batch: collections, once a process, and a look at the memory."""
    require_mongo()
    if not _schemas_ensured:
        with pymongo.timeout(SCHEMA_SECONDS):
            changes = ensure_schema()
        for change in changes:
            logger.info("MongoDB: %s", change)
        _schemas_ensured.add(MONGO)
    _has_memory()


def _has_memory() -> bool:
    """Whether Redis lost nothing since it was last looked at; False where it cannot be asked."""
    if not _backoffs[MEMORY].is_over:
        return False
    try:
        has_lost = notice_losses()
    except RedisError as failed:
        _say_failed(MEMORY, failed)
        return False
    _backoffs[MEMORY].succeeded()
    return not has_lost


def _drain(deadline: float) -> int:
    began = datetime.now(UTC)
    waiting = [source for source in SOURCES if _backoffs[source.name].is_over]
    shipped = 0
    while waiting and time.monotonic() < deadline:
        for source in tuple(waiting):
            try:
                count, more = ship_batch(source)
            except (RedisError, DatabaseError) as failed:
                _say_failed(source.name, failed)
                waiting.remove(source)
                continue
            _backoffs[source.name].succeeded()
            shipped += count
            if not more:
                waiting.remove(source)
                # It may have gone since this run began, and a new one has nothing that waits.
                if source is HOLD_FACTS and _has_memory():
                    note_drained(began)
    return shipped


def _say_failed(what: str, failed: Exception) -> None:
    wait_seconds = _backoffs[what].failed()
    logger.warning("shipping: %s failed, again in %.0f s: %s", what, wait_seconds, failed)

"""Notice that Redis lost its memory, and with it perhaps facts that were not shipped yet.

Two signs, each compared with what the document `shipper` in MongoDB remembers:

    eras   `{s}:era` is another or gone: that shard lost everything
    beat   our own counter has not grown: the memory is an older one (failover to a stale replica,
           restore from a file)

A loss becomes one document in `gaps`, named by what was lost, so that two shippers that notice
the same loss write it once. It bounds the loss in time:

    complete_until ........... last_seen_at ........... noticed_at
    every fact of a hold       Redis was there,         it was not, or it was another
    before this was shipped    with what waited in it
"""

import hashlib
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import pymongo
from pymongo import WriteConcern

from analytics.schema import GAPS, SHIPPING
from analytics.shipping.sink import WRITE_SECONDS, insert_new
from config.stores import keys
from config.stores.mongo import audit_database
from config.stores.redis import holds_store

logger = logging.getLogger(__name__)

SHIPPER: Final = "shipper"


@dataclass(frozen=True, kw_only=True)
class Memory:
    """What Redis shows now: the era of each shard that has one, by shard, and the beat."""

    eras: dict[str, str]
    beat: int


def notice_losses() -> bool:
    """Compare Redis's memory with what was last seen, write a gap if it went; say whether it did.

    Raises:
        RedisError, PyMongoError: one of the two is away; nothing was decided.

    """
    with pymongo.timeout(WRITE_SECONDS):
        # Before Redis, so that another shipper's later beat is never taken for a step back.
        last = audit_database()[SHIPPING].find_one({"_id": SHIPPER}) or {}
        memory = _look()
        gap = _compare(last, memory)
        if gap:
            # A flush may have come in the middle of the first look: then more eras are gone now.
            memory = Memory(eras=_look().eras, beat=memory.beat)
            gap = _compare(last, memory)
            insert_new(GAPS, [gap])
            logger.error("Redis lost memory, facts of holds may be missing: %s", gap)
        _remember(memory)
    return bool(gap)


def note_drained(looked_at: datetime) -> None:
    """All that waited in Redis when a run of the shipper began has been shipped."""
    with pymongo.timeout(WRITE_SECONDS):
        collection = audit_database().get_collection(SHIPPING, write_concern=WriteConcern(w=1))
        collection.update_one({"_id": SHIPPER}, {"$max": {"complete_until": looked_at}})


def _look() -> Memory:
    pipe = holds_store().pipeline(transaction=False)
    pipe.incr(keys.SHIPPER_BEAT)
    for shard in range(keys.SHARDS):
        pipe.get(keys.era(shard))
    beat, *eras = pipe.execute()
    known = {str(shard): era.decode() for shard, era in enumerate(eras) if era is not None}
    return Memory(eras=known, beat=beat)


def _compare(last: dict[str, Any], memory: Memory) -> dict[str, Any]:
    """The gap document, or an empty one if nothing was lost."""
    eras: dict[str, str] = last.get("eras", {})
    lost = {shard: era for shard, era in eras.items() if memory.eras.get(shard) != era}
    if not lost and memory.beat > last.get("beat", 0):
        return {}
    name = repr(sorted(lost.items()) or (last["beat"], last["seen_at"]))
    return {
        "_id": f"gap:{hashlib.sha256(name.encode()).hexdigest()[:32]}",
        "kind": "gap",
        "reason": "memory-lost" if lost else "memory-went-back",
        "shards": sorted(int(shard) for shard in lost),
        "complete_until": last.get("complete_until"),
        "last_seen_at": last.get("seen_at"),
        "noticed_at": datetime.now(UTC),
    }


def _remember(memory: Memory) -> None:
    seen = {"eras": memory.eras, "beat": memory.beat, "seen_at": datetime.now(UTC)}
    collection = audit_database().get_collection(SHIPPING, write_concern=WriteConcern(w=1))
    collection.update_one({"_id": SHIPPER}, {"$set": seen}, upsert=True)

"""Holds that were released and that PostgreSQL was not told of yet: `{s}:unburied`.

`release.lua` writes them, in the step that ends the hold; who has told PostgreSQL takes them out
(`reservations.services.bury_released`).
"""

from collections.abc import Sequence
from typing import Final

from config.stores import keys
from config.stores.redis import holds_store
from reservations.holds import ids, store

# What was released a moment ago is being buried by its own request.
BURIAL_MS: Final = 1000


def read_unburied(limit_per_shard: int) -> list[str]:
    """Holds released a while ago that PostgreSQL was not told of; one round trip."""
    before_ms = store.redis_now_ms() - BURIAL_MS
    pipe = holds_store().pipeline(transaction=False)
    for shard in range(keys.SHARDS):
        pipe.zrangebyscore(keys.unburied(shard), "-inf", before_ms, start=0, num=limit_per_shard)
    return [hold.decode() for found in pipe.execute() for hold in found]


def forget_unburied(holds: Sequence[str]) -> None:
    """PostgreSQL knows of these; one round trip."""
    pipe = holds_store().pipeline(transaction=False)
    for hold in holds:
        pipe.zrem(keys.unburied(keys.shard(ids.read(hold).departure)), hold)
    pipe.execute()

"""The facts of holds, in one stream a shard, `{s}:audit`. Deleted one by one, never trimmed."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from redis.commands.core import Script

from analytics.schema import FACTS
from analytics.shipping.documents import Undecodable, from_hold_entry
from analytics.shipping.messages import Batch, Message, Source
from config.stores import keys
from config.stores.redis import holds_store

READ_PER_SHARD: Final = 128


def read() -> Batch:
    """The oldest entries of every shard, in one round trip."""
    pipe = holds_store().pipeline(transaction=False)
    for shard in range(keys.SHARDS):
        pipe.xrange(keys.audit(shard), count=READ_PER_SHARD)
    found = pipe.execute()
    return Batch(
        messages=[
            _message(shard, entry_id, fields)
            for shard, entries in enumerate(found)
            for entry_id, fields in entries
        ],
        more=any(len(entries) == READ_PER_SHARD for entries in found),
    )


def forget(messages: Sequence[Message]) -> None:
    """Delete exactly these entries, whatever has taken their place in the meantime."""
    by_shard: dict[int, list[bytes]] = defaultdict(list)
    for message in messages:
        shard, entry_id, fact_id = message.place
        by_shard[shard] += [entry_id, fact_id]
    pipe = holds_store().pipeline(transaction=False)
    for shard, pairs in by_shard.items():
        _forget_script()(keys=[keys.audit(shard)], args=pairs, client=pipe)
    pipe.execute()


@cache
def _forget_script() -> Script:
    return holds_store().register_script(Path(__file__).with_name("forget_facts.lua").read_text())


def _message(shard: int, entry_id: bytes, fields: Mapping[bytes, bytes]) -> Message:
    place = (shard, entry_id, fields.get(b"id", b""))
    raw = repr_fields(fields)
    try:
        return Message(place=place, raw=raw, document=from_hold_entry(fields))
    except Undecodable as wrong:
        return Message(place=place, raw=raw, problem=str(wrong))


def repr_fields(fields: Mapping[bytes, Any]) -> bytes:
    """A stream entry as one text, field by field, for the dead letters."""
    return b"\n".join(name + b" " + value for name, value in fields.items())


HOLD_FACTS: Final = Source(name="audit", collection=FACTS, read=read, forget=forget)

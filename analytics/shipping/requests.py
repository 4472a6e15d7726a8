"""The request log, in one capped stream."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from analytics.schema import REQUESTS
from analytics.shipping.documents import Undecodable, from_request_entry
from analytics.shipping.messages import Batch, Message, Source
from config.stores import keys
from config.stores.redis import holds_store

BATCH_SIZE: Final = 2_000


def read() -> Batch:
    """The oldest entries the cap has left."""
    entries: Any = holds_store().xrange(keys.REQUESTS, count=BATCH_SIZE)
    messages = [_message(entry_id, fields) for entry_id, fields in entries]
    return Batch(messages=messages, more=len(messages) == BATCH_SIZE)


def forget(messages: Sequence[Message]) -> None:
    holds_store().xdel(keys.REQUESTS, *(message.place for message in messages))


def _message(entry_id: bytes, fields: Mapping[bytes, bytes]) -> Message:
    raw = fields.get(b"d", b"")
    try:
        return Message(place=entry_id, raw=raw, document=from_request_entry(fields))
    except Undecodable as wrong:
        return Message(place=entry_id, raw=raw, problem=str(wrong))


REQUEST_LOG: Final = Source(name="requests", collection=REQUESTS, read=read, forget=forget)

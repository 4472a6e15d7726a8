"""The request log, in one capped stream."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from redis.commands.core import Script

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
    """Delete exactly these entries, and count those that were still there."""
    names = [keys.REQUESTS, keys.REQUESTS_ACKNOWLEDGED]
    _forget_script()(keys=names, args=[message.place for message in messages], client=holds_store())


@cache
def _forget_script() -> Script:
    text = Path(__file__).with_name("forget_requests.lua").read_text()
    return holds_store().register_script(text)


def _message(entry_id: bytes, fields: Mapping[bytes, bytes]) -> Message:
    raw = fields.get(b"d", b"")
    try:
        return Message(place=entry_id, raw=raw, document=from_request_entry(fields))
    except Undecodable as wrong:
        return Message(place=entry_id, raw=raw, problem=str(wrong))


REQUEST_LOG: Final = Source(name="requests", collection=REQUESTS, read=read, forget=forget)

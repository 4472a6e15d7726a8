"""Messages no collection will ever take: kept as they came, counted, and out of the others' way.

`manage.py dead_letters` lists them.
"""

import hashlib
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from analytics.schema import DEAD_LETTERS
from analytics.shipping.messages import Message
from analytics.shipping.sink import REASON_CAP, insert_new

logger = logging.getLogger(__name__)

RAW_CAP_BYTES: Final = 262_144


def bury(source: str, letters: Sequence[tuple[Message, str]]) -> None:
    """Keep messages with the reason they were refused for, each once however often it comes.

    Raises:
        PyMongoError: MongoDB is away; the messages must stay where they are.

    """
    refused = insert_new(DEAD_LETTERS, [_document(source, *letter) for letter in letters])
    assert not refused, refused  # noqa: S101  # bytes and bounded text: nothing to refuse
    for message, reason in letters:
        logger.error("dead letter from %s at %s: %s", source, message.place, reason)


def _document(source: str, message: Message, reason: str) -> dict[str, Any]:
    digest = hashlib.sha256(source.encode() + b"\0" + message.raw).hexdigest()[:32]
    return {
        "_id": f"{source}:{digest}",
        "source": source,
        "place": repr(message.place),
        "reason": reason[:REASON_CAP].encode(errors="replace").decode(),
        "raw": message.raw[:RAW_CAP_BYTES],
        "raw_bytes": len(message.raw),
        "at": datetime.now(UTC),
    }

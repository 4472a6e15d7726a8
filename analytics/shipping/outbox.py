"""The facts that wait in PostgreSQL, read by "not shipped", never by "id greater than".

No row is locked while MongoDB is asked: the subscribers of the same rows must not wait for it.
Two shippers may so read the same rows; the second insert finds the documents there.
"""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from django.db import transaction

from analytics.schema import FACTS
from analytics.shipping.documents import Undecodable, from_outbox
from analytics.shipping.messages import Batch, Message, Source
from config import clock
from config.outbox.facts import KEPT_DAYS
from config.outbox.models import OutboxEvent

BATCH_SIZE: Final = 1_000
PURGE_SIZE: Final = 5_000
PURGE_BATCHES: Final = 200


def read() -> Batch:
    """The oldest rows not yet shipped."""
    rows = OutboxEvent.objects.filter(shipped_at=None).order_by("id")[:BATCH_SIZE]
    messages = [_message(event) for event in rows]
    return Batch(messages=messages, more=len(messages) == BATCH_SIZE)


def forget(messages: Sequence[Message]) -> None:
    """Mark the rows shipped. A row somebody else holds now is left for the next run."""
    with transaction.atomic():
        rows = OutboxEvent.objects.filter(pk__in=[message.place for message in messages])
        held = rows.filter(shipped_at=None).order_by("id").select_for_update(skip_locked=True)
        mine = list(held.values_list("pk", flat=True))
        OutboxEvent.objects.filter(pk__in=mine).update(shipped_at=clock.now())


def purge() -> int:
    """Delete rows that both readers are done with since KEPT_DAYS, oldest first; say how many."""
    purged = 0
    for _ in range(PURGE_BATCHES):
        deleted = _purge_batch()
        purged += deleted
        if deleted == 0:
            break
    return purged


def _purge_batch() -> int:
    old = clock.now() - timedelta(days=KEPT_DAYS)
    oldest = list(OutboxEvent.objects.order_by("id").values_list("pk", flat=True)[:PURGE_SIZE])
    done = OutboxEvent.objects.filter(pk__in=oldest, shipped_at__lt=old, consumed_at__lt=old)
    return done.delete()[0]


def _message(event: OutboxEvent) -> Message:
    raw = json.dumps(
        {
            "event_id": event.event_id,
            "kind": event.kind,
            "subject": event.subject,
            "stage": event.stage,
            "number": event.number,
            "occurred_at": event.occurred_at.isoformat(),
            "body": event.body,
        }
    ).encode()
    try:
        return Message(place=event.pk, raw=raw, document=from_outbox(event))
    except Undecodable as wrong:
        return Message(place=event.pk, raw=raw, problem=str(wrong))


OUTBOX: Final = Source(name="outbox", collection=FACTS, read=read, forget=forget)

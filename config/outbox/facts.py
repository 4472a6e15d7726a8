"""What a fact is, and how it is written down.

A fact is in the past tense and names itself (`event_id`), so that writing or shipping it twice
leaves one document. Its place in its subject's story is (`stage`, `number`): the stage from the
subject's state table, then a running number for stages that repeat. No clock is asked for order.
Facts carry ids, never names, addresses or other personal data.
"""

from dataclasses import dataclass, field
from typing import Any, Final

from config import clock
from config.outbox import consumers
from config.outbox.models import OutboxEvent

# A row stays at least this long, also when both of its readers are done with it.
KEPT_DAYS: Final = 7


@dataclass(frozen=True, kw_only=True)
class Fact:
    """Something that happened.

    `event_id`: unique for ever, `<subject>:<what>[:<number>]`. `kind`: `booking.cancelled`.
    `subject`: the hold, PNR, user or departure whose story it belongs to. `body`: JSON values.
    `subscribed`: a consumer inside Seatlock must act on it (see `config.outbox.consumers`).
    """

    event_id: str
    kind: str
    subject: str
    stage: int
    number: int = 0
    body: dict[str, Any] = field(default_factory=dict)
    subscribed: bool = False


def append(*facts: Fact) -> None:
    """Write facts into the outbox, in the caller's transaction; a fact known already stays.

    Call it inside the `atomic` block that makes the fact true.
    """
    now = clock.now()
    OutboxEvent.objects.bulk_create(
        [
            OutboxEvent(
                event_id=fact.event_id,
                kind=fact.kind,
                subject=fact.subject,
                stage=fact.stage,
                number=fact.number,
                body=fact.body,
                occurred_at=now,
                consumed_at=None if fact.subscribed or consumers.is_wanted(fact.kind) else now,
            )
            for fact in facts
        ],
        ignore_conflicts=True,
    )

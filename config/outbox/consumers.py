"""Who inside Seatlock acts on facts: apps above register here, the outbox never imports them."""

from collections.abc import Callable, Sequence
from typing import Final

from config import clock
from config.outbox.models import OutboxEvent

Consumer = Callable[[Sequence[OutboxEvent]], None]
_consumers: list[tuple[str, Consumer]] = []
_wanted: set[str] = set()

BATCH_SIZE: Final = 1_000


def subscribe(prefix: str, consumer: Consumer, *, wanted: bool = False) -> None:
    """Let `consumer` act on every subscribed fact whose kind begins with `prefix`.

    `wanted`: also on those that nobody subscribed when they were written, for an app that may be
    left out; `prefix` is a whole kind then, so that no other consumer meets facts it did not ask
    for. Several may act on the same facts, in the order in which they registered; registering twice
    is once. A consumer must be safe to run twice with the same facts: it is called at least once.
    """
    if (prefix, consumer) not in _consumers:
        _consumers.append((prefix, consumer))
    if wanted:
        _wanted.add(prefix)


def is_wanted(kind: str) -> bool:
    """Has somebody asked for facts of this kind, whether or not they are subscribed?"""
    return kind in _wanted


def consume_pending() -> int:
    """Hand the facts nobody acted on yet to their consumers, one batch; return how many.

    A consumer that raises leaves its facts pending for the next call.
    """
    pending = list(OutboxEvent.objects.filter(consumed_at=None).order_by("id")[:BATCH_SIZE])
    for prefix, consumer in _consumers:
        consumer([event for event in pending if event.kind.startswith(prefix)])
    OutboxEvent.objects.filter(pk__in=[event.pk for event in pending]).update(
        consumed_at=clock.now()
    )
    return len(pending)

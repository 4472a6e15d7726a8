"""Close: at chart time, or when the train does not run, whoever still waits lapses, and gets back
what was paid.

Offers run on until their own deadline, which is never later than the chart.
"""

from typing import Final

from django.db import transaction
from django.db.models import Q

from config import clock
from reservations.waitlist.models import Entry
from reservations.waitlist.record import lock_entry, move
from reservations.waitlist.services.make_offer import give_up_hold
from reservations.waitlist.states import EntryState

BATCH: Final = 500


def close_waitlists() -> int:
    """Lapse the entries whose chart is closed or whose train does not run, a bounded number; how
    many.
    """
    over = Entry.objects.filter(
        Q(closes_at__lte=clock.now()) | Q(departure__withdrawn_at__isnull=False),
        state=EntryState.WAITING,
    )
    closed = 0
    for pk in list(over.order_by("closes_at").values_list("pk", flat=True)[:BATCH]):
        closed += _close(pk)
    return closed


@transaction.atomic
def _close(pk: int) -> bool:
    entry = lock_entry(pk)
    if entry.state != EntryState.WAITING:
        return False
    hold = entry.hold
    is_withdrawn = entry.departure.withdrawn_at is not None
    move(entry, EntryState.LAPSED, why="withdrawn" if is_withdrawn else "chart")
    if hold:  # of an offer that was begun and never told
        transaction.on_commit(lambda: give_up_hold(hold), robust=True)
    return True

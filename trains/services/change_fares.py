"""Say that a fare table changed: whoever keeps fares in memory must read it again."""

from django.db import transaction

from config.outbox.facts import append
from trains import facts
from trains.models import FareTable


def touch_fares(*, table_id: int, actor_id: int | None) -> None:
    """Grow the table's revision and write the fact `fares.changed`.

    Must run inside the transaction that changes the table or what belongs to it. Searches show
    the new fares at once; locks take them as soon as the fact was consumed. What is held or
    booked keeps the fare it was told.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a change and its fact belong to one transaction")
    table = FareTable.objects.select_for_update().get(pk=table_id)
    table.revision += 1
    table.save(update_fields=["revision"])
    append(
        facts.fares_changed(
            table_id=table.pk, name=table.name, revision=table.revision, actor_id=actor_id
        )
    )

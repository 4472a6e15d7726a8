"""The one way a departure's revision grows."""

from collections.abc import Sequence

from django.db import connection, transaction

from config import clock
from config.outbox.facts import append
from trains import facts, hooks

_OF_TRAINS = """
SELECT id FROM trains_departure
 WHERE train_id = ANY(%(trains)s) AND ends_at > %(now)s
 ORDER BY id FOR NO KEY UPDATE
"""

_TOUCH = """
UPDATE trains_departure SET revision = revision + 1
 WHERE id = ANY(%(departures)s)
RETURNING id, revision
"""


def touch_departures(
    *,
    fields: Sequence[str],
    actor_id: int | None,
    departure_ids: Sequence[int] = (),
    train_ids: Sequence[int] = (),
) -> dict[int, int]:
    """Say that departures changed: those named, and every one of these trains not yet ended.

    Grows their revisions, writes a subscribed fact `departure.changed` for each, and announces
    them once the transaction has committed. `fields` names what changed. Must run inside the
    transaction that changes them. Returns the new revisions by departure id.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a change and its fact belong to one transaction")
    ids = set(departure_ids)
    with connection.cursor() as cursor:
        if train_ids:
            cursor.execute(_OF_TRAINS, {"trains": list(train_ids), "now": clock.now()})
            ids.update(row[0] for row in cursor.fetchall())
        if not ids:
            return {}
        cursor.execute(_TOUCH, {"departures": sorted(ids)})
        revisions = dict(cursor.fetchall())
    append(
        *(
            facts.departure_changed(
                departure_id=departure, revision=revision, fields=list(fields), actor_id=actor_id
            )
            for departure, revision in revisions.items()
        )
    )
    transaction.on_commit(lambda: hooks.announce_changed(sorted(revisions)))
    return revisions

"""Which departures and trains somebody counts on, asked so that the answer stays true.

A booking's row needs the key of its departure: once the departures are locked, whoever sells a
seat waits for the import to end, and whoever came before is seen.
"""

from collections.abc import Sequence
from typing import Final

from django.db import connection

from config import clock
from trains import hooks
from trains.models import Departure

_LOCK: Final = """
SELECT id FROM trains_departure
 WHERE train_id = ANY(%(trains)s) AND ends_at > %(now)s ORDER BY id FOR UPDATE
"""


def departures_in_use(train_ids: Sequence[int]) -> set[int]:
    """The departures of these trains, past ones too, that must stay as they are."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, {"trains": list(train_ids), "now": clock.now()})
    return hooks.departures_in_use(train_ids)


def trains_in_use(train_ids: Sequence[int]) -> set[int]:
    """The trains that have such departures: their stops stay for ever."""
    kept = Departure.objects.filter(pk__in=departures_in_use(train_ids))
    return set(kept.values_list("train_id", flat=True))

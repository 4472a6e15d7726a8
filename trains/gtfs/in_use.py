"""Which trains and departures somebody counts on."""

from collections.abc import Iterable
from typing import Final

from django.db import connection

from config import clock
from trains import hooks
from trains.models import Departure

_LOCK: Final = """
SELECT id FROM trains_departure
 WHERE train_id = ANY(%(trains)s) AND ends_at > %(now)s ORDER BY id FOR UPDATE
"""


def departures_in_use(train_ids: Iterable[int]) -> set[int]:
    """The departures of these trains, past ones too, on which somebody has or had a seat."""
    return hooks.departures_in_use(sorted(train_ids))


def trains_in_use(train_ids: Iterable[int]) -> set[int]:
    """The trains that have such departures: their stops stay for ever.

    The others are locked before they are asked again. A booking's row needs the key of its
    departure, so whoever confirms from then on waits for the import to end, and whoever came
    before is seen. Nobody waits for a train that will not change.
    """
    asked = set(train_ids)
    taken = _ask(asked)
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, {"trains": sorted(asked - taken), "now": clock.now()})
    return taken | _ask(asked - taken)


def _ask(train_ids: Iterable[int]) -> set[int]:
    kept = Departure.objects.filter(pk__in=departures_in_use(train_ids))
    return set(kept.values_list("train_id", flat=True))

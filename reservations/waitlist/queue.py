"""Who is in the queue, and at which place: reads, one query each."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from typing import Final

from django.db.models import QuerySet

from config import clock
from config.stores.postgres.prepared import prepared_cursor
from reservations.availability.stretches import Stretch
from reservations.availability.waiting import Offered, Queue, Waiting
from reservations.waitlist.models import Entry
from reservations.waitlist.states import IN_QUEUE, EntryState

# Asked with every search and seat map of a departure whose image is not loaded.
_IN_QUEUE: Final = """
SELECT departure_id, state, travel_class, from_stop, to_stop, seat_ids, closes_at
  FROM waitlist_entry WHERE departure_id = ANY(%s::bigint[]) AND state = ANY(%s::text[])
"""


def waiting_on(departure: int) -> "QuerySet[Entry]":
    """The entries that wait on a departure, first come first; none after the chart was closed, or
    where the train does not run.
    """
    return Entry.objects.filter(
        departure=departure,
        departure__withdrawn_at=None,
        state=EntryState.WAITING,
        closes_at__gt=clock.now(),
    ).order_by("id")


def waiting_anywhere() -> "QuerySet[Entry]":
    """The entries that wait, those that joined first in front."""
    return Entry.objects.filter(
        departure__withdrawn_at=None, state=EntryState.WAITING, closes_at__gt=clock.now()
    ).order_by("id")


def read_waiting(departures: Collection[int]) -> dict[int, Waiting]:
    """What the engine keeps seats for (see `availability.waiting`)."""
    now = clock.now()
    parties: defaultdict[int, Counter[tuple[str, Stretch]]] = defaultdict(Counter)
    offered: defaultdict[int, list[Offered]] = defaultdict(list)
    with prepared_cursor() as cursor:
        cursor.execute(_IN_QUEUE, [list(departures), sorted(IN_QUEUE)])
        rows = cursor.fetchall()
    for departure, state, travel_class, from_stop, to_stop, seat_ids, closes_at in rows:
        stretch = Stretch(from_stop, to_stop)
        if state == EntryState.OFFERED:
            offered[departure].append(Offered(seat_ids, stretch))
        elif closes_at > now:
            parties[departure][travel_class, stretch] += 1
    return {
        departure: Waiting(
            queues=tuple(Queue(*what, number) for what, number in parties[departure].items()),
            offered=tuple(offered[departure]),
        )
        for departure in {*parties, *offered}
    }


def positions_of(entries: Sequence[Entry]) -> dict[int, int]:
    """The place of each entry that waits, from 1: behind those that came before it and wait for
    the same class on a stretch that overlaps. By primary key; one query.
    """
    mine = [entry for entry in entries if entry.state == EntryState.WAITING]
    if not mine:
        return {}
    rows = list(
        Entry.objects.filter(
            departure__in={entry.departure_id for entry in mine}, state=EntryState.WAITING
        ).values_list("id", "departure_id", "travel_class", "from_stop", "to_stop")
    )
    return {
        entry.pk: 1
        + sum(
            pk < entry.pk
            and (departure, travel_class) == (entry.departure_id, entry.travel_class)
            and from_stop < entry.to_stop
            and entry.from_stop < to_stop
            for pk, departure, travel_class, from_stop, to_stop in rows
        )
        for entry in mine
    }


def departures_waited_for(train_ids: Sequence[int]) -> set[int]:
    """Which departures of these trains have an entry, whatever became of it: they must stay."""
    rows = Entry.objects.filter(departure__train__in=train_ids)
    return set(rows.values_list("departure_id", flat=True))


def trains_waited_for(train_ids: Sequence[int]) -> set[int]:
    """Which of these trains have somebody in a queue: an entry names its stops by number."""
    rows = Entry.objects.filter(departure__train__in=train_ids, state__in=IN_QUEUE)
    return set(rows.values_list("departure__train_id", flat=True))

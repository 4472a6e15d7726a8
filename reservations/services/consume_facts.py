"""What the engine does about facts: every booking or departure fact refreshes its seat image.

So a crash between COMMIT and settle, a flush of Redis or a cancel cut short ends right (rule 8).
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from config.outbox.models import OutboxEvent
from reservations.availability.plans import forget, read_again
from reservations.holds import ids, store
from reservations.holds.batches import settle_all
from reservations.services.refresh_image import refresh_departure, refresh_seats_of
from trains.timetable_mark import move_mark

MANY: Final = 1_000
ALL: Final = 1_000_000


def refresh_booked_seats(events: Sequence[OutboxEvent]) -> None:
    """Consumer of `booking.*`: settle the holds whose member is still there, refresh the seats.

    All holds in one round trip; then the seats of all departures, each step in one. `by_hold`: of
    the seats that a change took.
    """
    seats: defaultdict[int, set[int]] = defaultdict(set)
    for event in events:
        seats[int(event.body["departure"])].update(int(seat) for seat in event.body["seat_ids"])
    settle_all([ids.read(event.body.get("by_hold") or event.body["hold"]) for event in events])
    refresh_seats_of(seats)


def refresh_changed_departures(events: Sequence[OutboxEvent]) -> None:
    """Consumer of `departure.*`: the plan's revision or the blocks have moved."""
    changed = {int(event.subject.partition(":")[2]) for event in events}
    if changed:
        move_mark()  # again: who changed it may have died before it could
    refresh_departures(sorted(changed))


def refresh_fares(events: Sequence[OutboxEvent]) -> None:
    """Consumer of `fares.*`: images whose plan has other fares now are refreshed, so that locks
    with the fares before are told to plan again.
    """
    if not events:
        return
    move_mark()
    loaded = store.images_loaded(ALL, before_ms=store.redis_now_ms())
    for start in range(0, len(loaded), MANY):
        some = loaded[start : start + MANY]
        plans = read_again(some)
        for image in store.read_images(some):
            plan = plans.get(image.departure)
            if plan is not None and image.revision != plan.revision:
                refresh_departure(departure=image.departure)


def refresh_departures(departures: Sequence[int]) -> None:
    """Refresh images that are loaded; one that is not will be loaded anew when touched.

    Of very many (a new timetable) only those are asked whose image is there: a tenth of a second
    instead of minutes. One that is being loaded this moment is found when the outbox, in smaller
    batches, repeats the change.
    """
    if len(departures) > MANY:
        for departure in departures:
            forget(departure)
        loaded = set(store.images_loaded(ALL, before_ms=store.redis_now_ms()))
        departures = [departure for departure in departures if departure in loaded]
    for departure in departures:
        refresh_departure(departure=departure)

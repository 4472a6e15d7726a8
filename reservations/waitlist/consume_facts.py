"""What the waitlist does about facts; each consumer may be given the same ones twice."""

from collections.abc import Sequence

from config.outbox.models import OutboxEvent
from reservations.services.refresh_image import refresh_waiting
from reservations.waitlist.models import Entry
from reservations.waitlist.services.make_offer import note_booked
from reservations.waitlist.services.serve_waitlist import serve_soon
from reservations.waitlist.states import EntryState


def follow_the_rows(events: Sequence[OutboxEvent]) -> None:
    """Consumer of `waitlist.*`: the mark is what the rows say, also after a crash."""
    for departure in sorted({int(event.body["departure"]) for event in events}):
        refresh_waiting(departure=departure)


def confirm_entries(events: Sequence[OutboxEvent]) -> None:
    """Consumer of `booking.confirmed`: an offer was taken."""
    if events:
        note_booked([event.body["hold"] for event in events])


def serve_who_waits(events: Sequence[OutboxEvent]) -> None:
    """Consumer of `booking.cancelled`, of seats given back, and of `departure.*`: seats may have
    come free.
    """
    changed = {_departure(event) for event in events}
    if changed:
        waiting = Entry.objects.filter(departure__in=changed, state=EntryState.WAITING)
        for departure in sorted(set(waiting.values_list("departure_id", flat=True))):
            serve_soon(departure)


def _departure(event: OutboxEvent) -> int:
    kind, _, number = event.subject.partition(":")
    return int(number) if kind == "departure" else int(event.body["departure"])

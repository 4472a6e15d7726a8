"""Settle: what became of offers whose hold Redis does not know any more.

    booked                             confirmed
    over before its deadline:
      given back by its owner or staff lapsed
      else Redis forgot it             waiting again, at the same place
    over at its deadline               lapsed, the next is served

The hold is buried in the same transaction (rule 6), so that no confirm of it commits any more.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from reservations.bookings.tombstone import bury
from reservations.holds import ids, store
from reservations.holds.members import moment
from reservations.models import Booking
from reservations.waitlist.models import Entry
from reservations.waitlist.record import lock_entry, move
from reservations.waitlist.services.make_offer import note_booked
from reservations.waitlist.states import EntryState


def settle_offers(entries: Sequence[Entry]) -> int:
    """End the offers among these entries that are over; how many. One round trip, and one
    transaction for each that ended.
    """
    offered = [entry for entry in entries if entry.state == EntryState.OFFERED and entry.hold]
    if not offered:
        return 0
    note_booked([entry.hold for entry in offered if entry.hold])
    images = store.read_images(sorted({entry.departure_id for entry in offered}), members=True)
    alive = {member.hold for image in images for member in image.members}
    now_of = {image.departure: moment(image.now_ms) for image in images}
    return sum(
        _end(entry, now_of[entry.departure_id]) for entry in offered if entry.hold not in alive
    )


def _end(seen: Entry, now: datetime) -> bool:
    """`now`: the clock of Redis, at which the hold was gone."""
    with transaction.atomic():
        entry = lock_entry(seen.pk)
        if entry.state != EntryState.OFFERED or entry.hold != seen.hold or not entry.hold:
            return False
        given_back = Booking.objects.filter(hold=entry.hold, status=Booking.Status.VOID).exists()
        booked = bury([ids.read(entry.hold)]).get(entry.hold)
        if booked is not None:
            move(entry, EntryState.CONFIRMED, booking=Booking.objects.get(pk=booked))
        elif entry.offer_expires_at is None or entry.offer_expires_at <= now:
            move(entry, EntryState.LAPSED, why="expired")
        elif given_back:
            move(entry, EntryState.LAPSED, why="given-back")
        else:
            move(entry, EntryState.WAITING, why="lost")
    return True

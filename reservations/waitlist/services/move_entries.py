"""Places on waitlists change hands when an account proves that it is the guest who joined.

The id of an offer's hold names its owner, so a hold does not change hands. It is buried in the same
transaction (rule 6), so that no confirm of it commits any more, and the entry waits again at its
place, where the seats, kept for it all the while, are offered to its new owner:

    claim     entry locked, bury hold, owner, waiting; COMMIT ── release, serve
    confirm   (before) booked: the entry is confirmed ............ (after) hold known: 410
"""

from collections.abc import Sequence
from functools import partial

from django.db import transaction

from reservations.bookings.tombstone import bury
from reservations.holds import ids
from reservations.models import Booking
from reservations.waitlist.models import Entry
from reservations.waitlist.record import lock_entry, move
from reservations.waitlist.services.make_offer import give_up_hold
from reservations.waitlist.services.serve_waitlist import serve_soon
from reservations.waitlist.states import IN_QUEUE, EntryState


def move_entries(owners: Sequence[int], account: int) -> list[str]:
    """The entries of these accounts are that account's from now on; nothing to name in a fact.

    An agent who joined for a customer knows him by the guest's id for ever (`acting`).
    """
    mine = Entry.objects.filter(owner__in=owners)
    for pk in mine.filter(state__in=IN_QUEUE).order_by("pk").values_list("pk", flat=True):
        entry = lock_entry(pk)
        hold = entry.hold
        if entry.acting:
            entry.acting = {"customer": entry.owner_id, **entry.acting}
        entry.owner_id = account
        _without_hold(entry)
        if hold:
            transaction.on_commit(partial(give_up_hold, hold), robust=True)
            transaction.on_commit(partial(serve_soon, entry.departure_id))
    mine.update(owner=account)
    return []


def _without_hold(entry: Entry) -> None:
    """Save it with its new owner, waiting; or confirmed, if a confirm was faster."""
    booked = bury([ids.read(entry.hold)]).get(entry.hold) if entry.hold else None
    if booked is not None:
        Booking.objects.filter(pk=booked).update(owner=entry.owner_id)
        move(entry, EntryState.CONFIRMED, booking=Booking.objects.get(pk=booked))
    elif entry.state == EntryState.OFFERED:
        move(entry, EntryState.WAITING, why="claimed")
    else:
        entry.hold, entry.offer_begun_at = None, None
        entry.save(update_fields=["owner", "acting", "hold", "offer_begun_at"])

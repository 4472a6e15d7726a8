"""Leave: give up one's place, and the offer with it if there is one.

leave    hold released ── LEFT, COMMIT ── a hold made meanwhile? released
server                hold made ── row says LEFT: released
"""

from functools import partial

from django.db import transaction

from config.errors import NotFound
from reservations.errors import IllegalState
from reservations.holds.scripts import Outcome
from reservations.waitlist.record import find_own, lock_entry, may_move, move
from reservations.waitlist.services.make_offer import give_up_hold, note_booked
from reservations.waitlist.services.serve_waitlist import serve_soon
from reservations.waitlist.states import EntryState


def leave_waitlist(*, user: int, key: str) -> None:
    """Leave the queue; who left already has left. Raises `NotFound` (not mine), `IllegalState`
    (confirmed, lapsed, or the offer is being confirmed).
    """
    entry = find_own(user, key)
    if entry is None:
        raise NotFound("There is no such entry")
    if entry.hold and may_move(entry, EntryState.LEFT):
        if give_up_hold(entry.hold) is Outcome.PINNED:
            raise IllegalState("The offer is being confirmed.", "confirming")
        note_booked([entry.hold])  # a confirm was faster
    with transaction.atomic():
        entry = lock_entry(entry.pk)
        if entry.state == EntryState.LEFT:
            return
        if not may_move(entry, EntryState.LEFT):
            raise IllegalState(f"The entry is {entry.state}.", entry.state)

        # From here the place is given up.
        move(entry, EntryState.LEFT)
        if entry.hold:  # released above, or made meanwhile
            transaction.on_commit(partial(give_up_hold, entry.hold))
        transaction.on_commit(partial(serve_soon, entry.departure_id))

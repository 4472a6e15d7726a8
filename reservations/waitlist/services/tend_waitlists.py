"""Tend: what the clock and the seats have done to the queues. Safe to run late, twice, together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reservations.waitlist import prepaid
from reservations.waitlist.models import Entry
from reservations.waitlist.services.close_waitlist import close_waitlists
from reservations.waitlist.services.make_offer import book_offer_soon
from reservations.waitlist.services.serve_waitlist import serve_all
from reservations.waitlist.services.settle_offers import settle_offers
from reservations.waitlist.states import EntryState

OFFERS: Final = 1_000


@dataclass(frozen=True)
class Tended:
    """How many entries lapsed at their chart, how many offers ended, how many entries got seats."""

    closed: int
    settled: int
    served: int


def tend_waitlists() -> Tended:
    """Close charts, settle offers that are over, book those that are paid, serve who waits."""
    closed = close_waitlists()
    offered = Entry.objects.filter(state=EntryState.OFFERED).order_by("offer_expires_at", "id")
    found = list(offered[:OFFERS])
    settled = settle_offers(found)
    _book_paid(found)
    return Tended(closed, settled, serve_all())


def _book_paid(offered: Sequence[Entry]) -> None:
    """Book what was offered before its money came, and not booked with it: a server died there."""
    paid = prepaid.kept(offered) if offered else {}
    for entry in Entry.objects.filter(pk__in=paid, state=EntryState.OFFERED):
        book_offer_soon(entry)

"""Money that was paid for a place in the queue: a seam for whoever takes it.

The waitlist knows no payments, which may be left out. Who takes money registers here; then an entry
that is prepaid is booked without being asked, and one that lapses or is left gives the money back.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from reservations.models import Booking
from reservations.waitlist.models import Entry


def _nothing_kept(entries: Sequence[Entry]) -> dict[int, Decimal]:
    del entries
    return {}


def _nothing_to_spend(entry: Entry, booking: Booking) -> None:
    del entry, booking


@dataclass(frozen=True, kw_only=True)
class Purse:
    """Who keeps money paid in advance.

    `is_prepaid(entry, fare)`: whether it covers this fare. `kept(entries)`: how much is kept for
    each, by primary key. `spend(entry, booking)` and `give_back(entry)` are called in the
    transaction in which the entry ended, with a booking and without, under the entry's row lock.
    """

    is_prepaid: Callable[[Entry, Decimal], bool]
    give_back: Callable[[Entry], None]
    kept: Callable[[Sequence[Entry]], dict[int, Decimal]] = _nothing_kept
    spend: Callable[[Entry, Booking], None] = _nothing_to_spend


_purses: list[Purse] = []


def register(purse: Purse) -> None:
    if purse not in _purses:
        _purses.append(purse)


def forget(purse: Purse) -> None:
    _purses.remove(purse)


def needs_no_answer(entry: Entry, fare: Decimal) -> bool:
    """Whether seats at this fare may be booked for the entry at once: free, or paid for."""
    return fare == 0 or any(purse.is_prepaid(entry, fare) for purse in _purses)


def kept(entries: Sequence[Entry]) -> dict[int, Decimal]:
    """How much is kept for each entry that has paid, by primary key."""
    found: dict[int, Decimal] = {}
    for purse in _purses:
        found |= purse.kept(entries)
    return found


def spend(entry: Entry, booking: Booking) -> None:
    for purse in _purses:
        purse.spend(entry, booking)


def give_back(entry: Entry) -> None:
    for purse in _purses:
        purse.give_back(entry)

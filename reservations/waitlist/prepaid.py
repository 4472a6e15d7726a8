"""Money that was paid for a place in the queue: a seam for whoever takes it.

Nothing in Seatlock takes money for seats nobody has yet; who adds it registers here. Then an entry
that is prepaid is booked without being asked, and one that lapses or is left gives the money back.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from reservations.waitlist.models import Entry


@dataclass(frozen=True, kw_only=True)
class Purse:
    """Who keeps money paid in advance.

    `is_prepaid(entry, fare)`: whether it covers this fare. `give_back(entry)`: called in the
    transaction in which the entry ended without a booking.
    """

    is_prepaid: Callable[[Entry, Decimal], bool]
    give_back: Callable[[Entry], None]


_purses: list[Purse] = []


def register(purse: Purse) -> None:
    if purse not in _purses:
        _purses.append(purse)


def forget(purse: Purse) -> None:
    _purses.remove(purse)


def needs_no_answer(entry: Entry, fare: Decimal) -> bool:
    """Whether seats at this fare may be booked for the entry at once: free, or paid for."""
    return fare == 0 or any(purse.is_prepaid(entry, fare) for purse in _purses)


def give_back(entry: Entry) -> None:
    for purse in _purses:
        purse.give_back(entry)

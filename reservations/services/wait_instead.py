"""`on_full: "waitlist"`: who was refused for want of seats waits for them, in the same call.

The waitlist is an app that may be left out; it registers how to join. Without it the refusal
stands.
"""

from collections.abc import Callable
from dataclasses import dataclass

from reservations.errors import NotEnoughSeats
from reservations.services.choose_seats import SeatWish
from reservations.services.hold_seats import Owner


@dataclass(frozen=True, kw_only=True)
class Waits:
    """A place in the queue: `position` counts from 1, None once it does not wait any more."""

    entry: str
    position: int | None
    status: str


Join = Callable[[Owner, SeatWish, str | None], Waits]
_joins: list[Join] = []


def register(join: Join) -> None:
    """`join(owner, wish, request)`; `request` names it, so that a repeat joins once."""
    if join not in _joins:
        _joins.append(join)


def wait_instead(
    *, owner: Owner, wish: SeatWish, refused: NotEnoughSeats, request: str | None
) -> Waits:
    """Join the waitlist for what was wished for, or raise the refusal."""
    for join in _joins:
        return join(owner, wish, request)
    raise refused

"""What the engine refuses, one class per condition.

SeatlockError
├── NotOnSale           not-on-sale, 409
├── SeatUnavailable     seat-unavailable, 409: `seats` taken, `suggestions` free
├── NotEnoughSeats      not-enough-seats, 409: `free`, `waitlist`
├── SeatAlreadyBooked   seat-already-booked, 409: PostgreSQL refused at confirm
├── PaymentRequired     payment-required, 402: `amount`, `currency`
├── HoldExpired         hold-expired, 410: mine, and over or lost
├── IllegalState        illegal-state, 409: `state`
└── LimitReached        limit-reached, 422: `limit`
"""

from datetime import datetime
from decimal import Decimal

from config.errors import SeatlockError


class NotOnSale(SeatlockError):
    """Outside the sale window, closed, or the train has left the boarding stop."""

    code = "not-on-sale"

    def __init__(self, detail: str, opens_at: datetime | None = None) -> None:
        super().__init__(detail, **({} if opens_at is None else {"opens_at": opens_at}))


class SeatUnavailable(SeatlockError):
    """Some of the seats asked for by name are taken; no seat was locked."""

    code = "seat-unavailable"

    def __init__(self, seats: list[str], suggestions: list[str]) -> None:
        super().__init__(f"Taken: {', '.join(seats)}.", seats=seats, suggestions=suggestions)


class NotEnoughSeats(SeatlockError):
    """Fewer seats are free than were asked for; no seat was locked. `waitlist`: so many parties
    wait for them, and what is free is kept for these.
    """

    code = "not-enough-seats"

    def __init__(self, free: int, waitlist: int = 0) -> None:
        super().__init__(f"Only {free} free.", free=free, waitlist=waitlist)


class SeatAlreadyBooked(SeatlockError):
    """PostgreSQL refused at confirm: somebody else's booking has one of these seats."""

    code = "seat-already-booked"

    def __init__(self, seats: list[str]) -> None:
        super().__init__("These seats were booked by somebody else.", seats=seats)


class PaymentRequired(SeatlockError):
    """REQUIRE_PAYMENT is on: this hold becomes a booking when its payment is captured."""

    code = "payment-required"

    def __init__(self, amount: Decimal, currency: str) -> None:
        super().__init__("Pay for the hold first.", amount=str(amount), currency=currency)


class HoldExpired(SeatlockError):
    """The hold is mine and it is over, or Redis lost it."""

    code = "hold-expired"

    def __init__(self) -> None:
        super().__init__("The hold is over; lock again.")


class IllegalState(SeatlockError):
    """The thing is in a state from which this move is not possible."""

    code = "illegal-state"

    def __init__(self, detail: str, state: str) -> None:
        super().__init__(detail, state=state)


class LimitReached(SeatlockError):
    """A limit per user or hold."""

    code = "limit-reached"

    def __init__(self, detail: str, limit: int) -> None:
        super().__init__(detail, limit=limit)

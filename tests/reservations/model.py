"""What a plain-Python model knows of one departure: who has which seat on which leg, until when.

Written from the promises and rules (docs/ARCHITECTURE.md), not from the engine, so that the two
can disagree. Times are model seconds since the departure was made.

    held ──> booked ──> over          a pin that was left behind lies in `held` (no COMMIT) or in
      └────> over                     `booked` with `unsettled` (COMMIT, no settle), until resolved
"""

from dataclasses import dataclass, field

from reservations.services.choose_seats import SeatWish
from reservations.services.hold_view import HoldView

TTL_SECONDS, CAP_SECONDS, PIN_SECONDS, HOLDS_PER_USER = 180, 600, 30, 3

Cell = tuple[int, int]
"""A seat and a leg, both from 0."""


@dataclass
class Claim:
    """A hold, and what became of it. `promised`: the deadline in its capability, which no pin
    moves; `forgotten`: it was lost with Redis's memory, and nobody was told that it is over.
    """

    view: HoldView
    user: int
    cells: frozenset[Cell]
    taken_at: float
    deadline: float
    promised: float
    forgotten: bool = False
    pinned: bool = False
    unsettled: bool = False
    pnr: str = ""


@dataclass(frozen=True)
class Told:
    """What a lock with an Idempotency-Key was told: the hold's id, or the refusal's code."""

    user: int
    wish: SeatWish
    answer: str


@dataclass
class Ledger:
    """All claims by hold id. `answers`: by Idempotency-Key, until a flush."""

    now: float = 0.0
    held: dict[str, Claim] = field(default_factory=dict)
    booked: dict[str, Claim] = field(default_factory=dict)
    over: dict[str, Claim] = field(default_factory=dict)
    answers: dict[str, Told] = field(default_factory=dict)

    def expire(self) -> None:
        """A hold is over at its deadline for every reader; a pin waits until it is resolved."""
        for hold, claim in list(self.held.items()):
            if claim.deadline <= self.now and not claim.pinned:
                self.end(hold)

    def end(self, hold: str) -> None:
        self.over[hold] = self.held.pop(hold)

    def book(self, hold: str, pnr: str, *, settled: bool) -> None:
        claim = self.held.pop(hold)
        claim.pnr, claim.pinned, claim.unsettled = pnr, not settled, not settled
        self.booked[hold] = claim

    def book_again(self, hold: str, pnr: str) -> None:
        """By its capability, after Redis forgot it."""
        self.held[hold] = self.over.pop(hold)
        self.held[hold].forgotten = False
        self.book(hold, pnr, settled=True)

    def pin(self, hold: str) -> None:
        """A pin never goes back, and keeps at least 30 seconds."""
        claim = self.held[hold]
        claim.pinned, claim.deadline = True, max(claim.deadline, self.now + PIN_SECONDS)

    def settle(self, hold: str) -> None:
        claim = self.booked.get(hold)
        if claim is not None:
            claim.pinned = claim.unsettled = False

    def settle_all(self) -> None:
        for hold in self.booked:
            self.settle(hold)

    def overdue(self) -> list[str]:
        """Pins that ran out, of either kind."""
        claims = {**self.held, **self.booked}
        return [h for h, c in claims.items() if c.pinned and c.deadline <= self.now]

    def resolve_overdue(self) -> None:
        """Whoever meets them asks PostgreSQL: without a booking the seats are free."""
        for hold in self.overdue():
            if hold in self.held:
                self.end(hold)
            else:
                self.settle(hold)

    def flush(self) -> None:
        """Redis forgets: holds, pins and kept answers; PostgreSQL does not."""
        self.expire()
        for hold in list(self.held):
            self.held[hold].forgotten = True
            self.end(hold)
        self.settle_all()
        self.answers.clear()

    # What may be asked of it

    @property
    def everything(self) -> dict[str, Claim]:
        return {**self.held, **self.over, **self.booked}

    def members(self) -> set[str]:
        """The holds Redis must know of."""
        self.expire()
        return {*self.held, *(h for h, c in self.booked.items() if c.unsettled)}

    def taken(self) -> set[Cell]:
        self.expire()
        return {cell for c in (*self.held.values(), *self.booked.values()) for cell in c.cells}

    def at_limit(self, user: int) -> bool:
        members = self.members()
        return sum(self.everything[hold].user == user for hold in members) >= HOLDS_PER_USER

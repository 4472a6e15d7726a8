"""What a confirm may book, and by whose word: Redis's, or while it is away the capability's.

    Redis answers       pin: the seats are the holder's until PostgreSQL has decided (P2)
    Redis is away       the capability, signed by us, names seats, fare, fence and deadline;
                        PostgreSQL judges the deadline by its own clock in the statement that books

Without Redis nobody knows whether the hold was extended, pinned or released meanwhile. None of
it can sell a seat twice: `hold` is unique in bookings, so one confirm of it commits; a released
hold is buried there; and who holds the same seat by now is refused by the exclusion constraint
when confirming later, as this call is if it comes later (P1, first commit wins).

A time-out may come after the pin took effect. Then the hold lies in `confirming`, as after a crash
between pin and COMMIT: the outbox consumer settles it when Redis is back, or the sweep asks.
"""

import logging
from dataclasses import dataclass
from typing import Final

from config.errors import NotAuthenticated, StoreUnavailable
from config.stores.redis import AWAY
from reservations.bookings.tombstone import bury
from reservations.holds import capabilities, ids, store
from reservations.holds.members import Member, parse
from reservations.holds.scripts import Outcome
from reservations.services.hold_seats import Owner
from reservations.services.refresh_image import load_image
from reservations.services.resolve_pin import resolve_pin
from users.tokens import is_ended

logger = logging.getLogger(__name__)
ATTEMPTS: Final = 8


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A hold whose seats may be booked.

    `deadline_ms`: None if the hold is pinned; else that of the capability, to be judged by
    PostgreSQL. `retaken`: Redis had forgotten it and took the seats again (rule 10).
    """

    member: Member
    deadline_ms: int | None = None
    retaken: bool = False

    @property
    def is_pinned(self) -> bool:
        return self.deadline_ms is None


def claim_hold(
    ref: ids.HoldRef, owner: Owner, capability: capabilities.Capability | None
) -> Claim | None:
    """The hold's claim, or None if it is over or booked.

    Raises `redis.ConnectionError` or `TimeoutError` (without Redis and a capability),
    `NotAuthenticated` (a login that ended), `StoreUnavailable`.
    """
    try:
        return _pin(ref, owner, capability)
    except AWAY as away:
        if capability is None:
            raise
        logger.info("confirming %s past Redis: %s", ref.hold, away)
        # The pin script would have refused a login that ended. PostgreSQL knows as well.
        if is_ended(owner.sid):
            raise NotAuthenticated("This login was ended.") from None
        member = parse(capability.member, capability.deadline_ms)
        return Claim(member=member, deadline_ms=capability.deadline_ms)


def _pin(
    ref: ids.HoldRef, owner: Owner, capability: capabilities.Capability | None
) -> Claim | None:
    for _ in range(ATTEMPTS):
        answer, member = store.pin(ref, owner.sid, capability)
        match answer.outcome:
            case Outcome.PINNED:
                assert member is not None  # noqa: S101  # pinned comes with its member
                return Claim(member=member, retaken=answer.rest == ("1",))
            case Outcome.LOAD:
                load_image(departure=ref.departure)
            case Outcome.OVERDUE:
                for hold in answer.rest:
                    resolve_pin(hold)
            case _:
                # It is over, or Redis forgot it and its seats are another's. Who showed a
                # capability is told so, and so it stays: past Redis another clock would judge.
                if capability is not None:
                    bury([ref])
                return None
    raise StoreUnavailable("The hold cannot be pinned; try again.")

"""A hold as its owner sees it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.conf import settings

from reservations.availability.plans import Plan
from reservations.holds import capabilities
from reservations.holds.members import Member, moment
from reservations.holds.store import Held


@dataclass(frozen=True, kw_only=True)
class HoldView:
    """One hold. `fare`, with its parts, is for all seats; `server_time` and `expires_at` are the
    Redis clock's.

    `capability` is given where the hold was made or extended, not in lists.
    """

    hold: str
    status: str
    departure: int
    source: str
    destination: str
    seats: tuple[str, ...]
    fare: Decimal
    fare_parts: Mapping[str, Decimal]
    currency: str
    fence: int
    expires_at: datetime
    server_time: datetime
    capability: str | None = None

    @property
    def expires_in_seconds(self) -> int:
        return max(0, int((self.expires_at - self.server_time).total_seconds()))


def view_of(plan: Plan, held: Held) -> HoldView:
    """A hold fresh from the script that made or moved it."""
    return view_member(
        plan,
        held.member,
        now_ms=held.now_ms,
        capability=capabilities.seal(held.capability),
    )


def view_member(
    plan: Plan, member: Member, *, now_ms: int, capability: str | None = None
) -> HoldView:
    stops = plan.train.stops
    return HoldView(
        hold=member.hold,
        capability=capability,
        status="confirming" if member.pinned else "held",
        departure=plan.departure,
        source=stops[member.from_stop].code,
        destination=stops[member.to_stop].code,
        seats=member.labels,
        fare=member.fare,
        fare_parts=member.held_fare.parts,
        currency=settings.ENV.currency,
        fence=member.fence,
        expires_at=member.expires_at,
        server_time=moment(now_ms),
    )

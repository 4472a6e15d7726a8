"""After each write: do the rows of PostgreSQL keep the promises, and were the changes legal?"""

from dataclasses import dataclass
from typing import Final

from django.db import connections

from tests.simulator.audit_redis import RedisAudit
from tests.simulator.broken import must
from tests.simulator.memory_loss import Losses
from tests.simulator.world import World

_ROWS: Final = """
SELECT b.hold, b.pnr, b.status, b.owner_id, b.departure_id, s.seat_id, lower(s.legs),
       upper(s.legs), s.live
  FROM reservations_booking b LEFT JOIN reservations_bookedseat s ON s.booking_id = b.id
 ORDER BY b.id, s.id
"""
_MOVES: Final = {("confirmed", "cancelled")}


@dataclass
class Row:
    """A booking with its seats as bits; `mask` only of those that are live."""

    hold: str
    pnr: str | None
    status: str
    owner: int | None
    departure: int
    ordinals: tuple[int, ...] = ()
    mask: int = 0
    # Booked by its capability while Redis could not be asked: P2 sleeps for its seats.
    is_past_redis: bool = False


class RowsAudit:
    """All bookings as they were after the last write."""

    def __init__(self, world: World, redis: RedisAudit, losses: Losses) -> None:
        self._world = world
        self._redis = redis
        self._losses = losses
        self.rows: dict[str, Row] = {}
        # Holds that a client was told are over; for good, whatever Redis forgets or does not say.
        self.told_over: set[str] = set()
        self.told_final: set[str] = set()

    def check(self) -> None:
        """Read all rows, on a connection of nobody's, and compare."""
        rows = self._read()
        for hold, before in self.rows.items():
            must(hold in rows, "P4", f"the row of {hold} is gone")
            moved = (before.status, rows[hold].status)
            must(moved[0] == moved[1] or moved in _MOVES, "states", f"{hold} went {moved}")
        for hold, row in rows.items():
            known = self.rows.get(hold)
            row.is_past_redis = known is not None and known.is_past_redis
            if row.status == "confirmed" and known is None:
                row.is_past_redis = not self._redis.is_pinned(hold, row.departure)
                self._check_new(row)
        sold: dict[int, dict[str, int]] = {each: {} for each in self._world.departures}
        for hold, row in rows.items():
            for other, mask in sold[row.departure].items():
                must(not mask & row.mask, "P1", f"{hold} and {other} booked one seat-leg")
            if row.mask:
                must(row.status == "confirmed", "states", f"{hold} is {row.status}, seats live")
                sold[row.departure][hold] = row.mask
        self.rows, self._redis.sold_rows = rows, sold
        self._redis.past_redis = {hold for hold, row in rows.items() if row.is_past_redis}

    def _check_new(self, row: Row) -> None:
        member = self._redis.members.get(row.hold)
        must(member is not None, "rule 9", f"nobody ever held {row.hold}")
        assert member is not None
        must(row.ordinals == member.ordinals, "P3", f"{row.hold} booked not all its seats")
        must(row.owner == member.user, "P6", f"{row.hold} went to another")
        owed = self._redis.is_unburied(row.hold, row.departure)
        excused = owed or self._losses.lost_memory
        must(row.hold not in self.told_final or excused, "P5", f"{row.hold} was final, then booked")
        if self._losses.lost_memory:
            return
        if row.is_past_redis:
            must(self._losses.redis_was_away, "rule 5", f"{row.hold} was booked without a pin")
            return
        must(row.hold not in self.told_over, "P5", f"{row.hold} was told over, then booked")
        for end in ("released", "expired"):
            over = f"{row.hold}:{end}" in self._redis.facts
            must(not over, "states", f"{row.hold} was {end}, then booked")

    def _read(self) -> dict[str, Row]:
        rows: dict[str, Row] = {}
        with connections["default"].cursor() as cursor:
            cursor.execute(_ROWS)
            for hold, pnr, status, owner, departure, seat, start, end, live in cursor.fetchall():
                row = rows.setdefault(hold, Row(hold, pnr, status, owner, departure))
                if seat is not None:
                    ordinal = self._world.ordinals[seat]
                    row.ordinals = (*row.ordinals, ordinal)
                    row.mask |= World.mask((ordinal,), start, end) if live else 0
        return rows

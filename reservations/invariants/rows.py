"""What must be true of the rows of PostgreSQL, asked without the constraints that guard it.

Each check is one SELECT that gives departure and words for every row that is wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db import connection

from config import clock
from config.outbox.facts import KEPT_DAYS
from reservations.invariants.judging import Check, Look, Scope

# By a window over the sorted rows, not by asking the constraint's index for overlaps.
_OVERLAPS: Final = """
SELECT departure_id, format('booking %%s has seat %%s on legs %%s, which overlap those of another',
                            pnr, coach.label || '-' || seat.number, legs)
  FROM (SELECT row.departure_id, row.seat_id, row.legs, booking.pnr,
               max(upper(row.legs)) OVER (PARTITION BY row.departure_id, row.seat_id
                   ORDER BY lower(row.legs), row.id
                   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS sold_to
          FROM reservations_bookedseat AS row
          JOIN reservations_booking AS booking ON booking.id = row.booking_id
         WHERE row.live AND (%(all)s OR row.departure_id = ANY(%(departures)s::bigint[]))) AS seats
  JOIN trains_seat AS seat ON seat.id = seats.seat_id
  JOIN trains_coach AS coach ON coach.id = seat.coach_id
 WHERE lower(legs) < sold_to
"""

_WHOLE: Final = """
WITH counted AS (
    SELECT booking.*, count(seat.id) FILTER (WHERE seat.live) AS live,
           -- those it exchanged are not its seats any more
           count(seat.id) FILTER (WHERE seat.live OR seat.cancellation_id IS NOT NULL
                                     OR booking.revision = 1) AS seats,
           count(seat.id) FILTER (
               WHERE (seat.live OR booking.revision = 1)
                 AND (seat.departure_id <> booking.departure_id
                      OR seat.legs <> int4range(booking.from_stop, booking.to_stop))) AS elsewhere
      FROM reservations_booking AS booking
      LEFT JOIN reservations_bookedseat AS seat ON seat.booking_id = booking.id
     WHERE (%(all)s OR booking.departure_id = ANY(%(departures)s::bigint[]))
     GROUP BY booking.id)
SELECT departure_id, format('booking %%s (%%s) %%s', coalesce(pnr, hold), status, CASE
           WHEN elsewhere > 0 THEN 'has a seat on another departure or on other legs'
           WHEN status = 'confirmed' AND live = 0 THEN 'has no seat'
           WHEN status <> 'confirmed' AND live > 0 THEN 'still keeps a seat'
           WHEN status = 'void' AND pnr IS NOT NULL THEN 'has a PNR'
           WHEN status <> 'void' AND (pnr IS NULL OR owner_id IS NULL) THEN 'has no PNR or no owner'
           ELSE 'has fewer or more seats than its fact names' END)
  FROM counted
 WHERE elsewhere > 0
    OR (status = 'confirmed' AND live = 0)
    OR (status <> 'confirmed' AND live > 0)
    OR (status = 'void' AND pnr IS NOT NULL)
    OR (status <> 'void' AND (pnr IS NULL OR owner_id IS NULL))
    OR seats <> (SELECT jsonb_array_length(fact.body -> 'seat_ids') FROM outbox_outboxevent AS fact
                  WHERE fact.event_id = counted.hold || ':confirmed')
"""

_ONE_ROW_A_HOLD: Final = """
SELECT min(departure_id), format('hold %%s has %%s rows: %%s', hold, count(*),
                                 string_agg(status, ', ' ORDER BY status))
  FROM reservations_booking AS booking
 WHERE (%(all)s OR booking.departure_id = ANY(%(departures)s::bigint[]))
 GROUP BY hold HAVING count(*) > 1
"""

_FACTS: Final = """
SELECT departure_id, format('booking %%s has no fact %%s', pnr, wanted.event_id)
  FROM reservations_booking AS booking
 CROSS JOIN LATERAL (VALUES (hold || ':confirmed', created_at), (pnr || ':cancelled', cancelled_at))
       AS wanted(event_id, since)
 WHERE status <> 'void' AND wanted.since > %(kept_since)s
   AND (%(all)s OR booking.departure_id = ANY(%(departures)s::bigint[]))
   AND NOT EXISTS (SELECT FROM outbox_outboxevent AS fact WHERE fact.event_id = wanted.event_id)
UNION ALL
SELECT (fact.body ->> 'departure')::bigint, format('fact %%s is of no booking', fact.event_id)
  FROM outbox_outboxevent AS fact
 WHERE fact.kind LIKE 'booking.%%'
   AND (%(all)s OR (fact.body ->> 'departure')::bigint = ANY(%(departures)s::bigint[]))
   AND NOT EXISTS (
       SELECT FROM reservations_booking AS booking
        WHERE booking.hold = fact.body ->> 'hold' AND booking.pnr = fact.subject
          AND (fact.kind <> 'booking.cancelled' OR booking.status = 'cancelled'))
"""

_CONSUMED: Final = """
SELECT (fact.body ->> 'departure')::bigint, format('fact %%s was not acted on', fact.event_id)
  FROM outbox_outboxevent AS fact
 WHERE %(at_rest)s AND fact.consumed_at IS NULL
   AND (%(all)s OR (fact.body ->> 'departure')::bigint = ANY(%(departures)s::bigint[]))
"""

_KEYS: Final = """
SELECT booking.departure_id, format('key %%s of user %%s: %%s', key.key, key.user_id, CASE
           WHEN key.status = 0 THEN 'kept without an answer'
           WHEN booking.id IS NULL THEN format('answers with booking %%s, which there is not',
                                               key.body::jsonb ->> 'pnr')
           WHEN key.status = 201 THEN 'answers with the booking of somebody else'
           ELSE 'answers that a booking is cancelled, which it is not' END)
  FROM idempotency_idempotencykey AS key
  LEFT JOIN reservations_booking AS booking ON booking.pnr = key.body::jsonb ->> 'pnr'
 WHERE (%(all)s OR booking.departure_id = ANY(%(departures)s::bigint[]))
   AND (key.status = 0
     OR (key.status < 300 AND key.body::jsonb ? 'pnr' AND booking.id IS NULL)
     OR (key.status = 201 AND key.body::jsonb ? 'pnr' AND booking.owner_id <> key.user_id)
     OR (key.status = 200 AND key.body::jsonb ->> 'status' = 'cancelled'
         AND booking.status <> 'cancelled'))
"""

_FENCES: Final = """
SELECT departure_id, format('fence %%s belongs to %%s bookings: %%s', fence, count(*),
                            string_agg(pnr, ', ' ORDER BY pnr))
  FROM reservations_booking AS booking
 WHERE status <> 'void' AND (%(all)s OR booking.departure_id = ANY(%(departures)s::bigint[]))
 GROUP BY departure_id, fence HAVING count(*) > 1 OR fence <= 0
"""


@dataclass(frozen=True)
class _Rows:
    """A look at rows: what is wrong, and how many rows there are to be right or wrong."""

    sql: str
    table: str

    def __call__(self, scope: Scope) -> Look:
        values: dict[str, Any] = {
            "all": scope.departures is None,
            "departures": list(scope.departures or ()),
            # An hour less than they are kept: a purge may run in this very moment.
            "kept_since": clock.now() - timedelta(days=KEPT_DAYS) + timedelta(hours=1),
            "at_rest": scope.at_rest,
        }
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {self.table}")  # noqa: S608  # names of ours
            (seen,) = cursor.fetchone()
            cursor.execute(self.sql, values)
            return Look(seen=seen, wrong={words: where for where, words in cursor.fetchall()})


_BOOKINGS: Final = "reservations_booking"
_OUTBOX: Final = "outbox_outboxevent"

ROW_CHECKS: Final[Sequence[Check]] = (
    Check(
        name="no-seat-sold-twice",
        about="no two live booked seats overlap on a departure (P1)",
        look=_Rows(_OVERLAPS, "reservations_bookedseat"),
    ),
    Check(
        name="bookings-are-whole",
        about="a booking has the seats its fact names, on its own legs, given back or not, and "
        "one that stands has at least one (P3)",
        look=_Rows(_WHOLE, _BOOKINGS),
    ),
    Check(
        name="one-row-a-hold",
        about="a hold is one booking or one void row, never both (P5, rule 6)",
        look=_Rows(_ONE_ROW_A_HOLD, _BOOKINGS),
    ),
    Check(
        name="bookings-have-facts",
        about="what was booked or cancelled is in the outbox, and nothing else is (P8)",
        look=_Rows(_FACTS, _OUTBOX),
    ),
    Check(
        name="facts-were-acted-on",
        about="at rest, no fact waits for the engine itself (rule 8)",
        look=_Rows(_CONSUMED, _OUTBOX),
    ),
    Check(
        name="keys-tell-the-truth",
        about="an idempotency key answers with a booking there is, of its own user (P5)",
        look=_Rows(_KEYS, "idempotency_idempotencykey"),
    ),
    Check(
        name="fences-of-bookings",
        about="no two bookings of a departure have the same fence",
        look=_Rows(_FENCES, _BOOKINGS),
    ),
)

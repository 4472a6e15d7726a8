"""The one statement that makes a booking: booking, seats, fact and idempotency key together.

It runs alone, so it is its own transaction: all of it commits, or nothing. The exclusion
constraint on the seats decides (P1); the answer is given after COMMIT, with fsync on (P4).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final

import msgspec
from django.db import IntegrityError, OperationalError, connection
from psycopg import errors as pg
from psycopg.types.json import Jsonb

from trains.fares import ZERO, SeatFare

# Seats are written in sorted order, so that two confirms that overlap wait instead of deadlock.
# `moment` is read once: a hold that Redis does not keep is judged by this clock.
_INSERT: Final = """
WITH moment AS MATERIALIZED (
    SELECT %(deadline_ms)s::bigint IS NULL
           OR {now} < to_timestamp(%(deadline_ms)s::bigint / 1000.0) AS in_time
), booking AS (
    INSERT INTO reservations_booking (hold, pnr, owner_id, departure_id, status, from_stop,
                                      to_stop, fare, currency, fence, created_at)
    SELECT %(hold)s, %(pnr)s, %(owner)s, %(departure)s, 'confirmed', %(from_stop)s,
           %(to_stop)s, %(fare)s, %(currency)s, %(fence)s, %(created_at)s
      FROM moment WHERE in_time
    ON CONFLICT (hold) DO NOTHING
    RETURNING id
), seats AS (
    INSERT INTO reservations_bookedseat (booking_id, departure_id, seat_id, legs, live, passenger,
                                         fare, fare_parts)
    SELECT booking.id, %(departure)s, wanted.seat, int4range(%(from_stop)s, %(to_stop)s), TRUE,
           wanted.passenger, wanted.fare, wanted.parts
      FROM booking, unnest(%(seats)s::bigint[], %(passengers)s::jsonb[], %(fares)s::numeric[],
                           %(parts)s::jsonb[]) AS wanted(seat, passenger, fare, parts)
     ORDER BY wanted.seat
), fact AS (
    INSERT INTO outbox_outboxevent (event_id, kind, subject, stage, number, body, occurred_at)
    SELECT %(event_id)s, 'booking.confirmed', %(pnr)s, 3, 0, %(fact)s, %(created_at)s
      FROM booking
), kept AS (
    INSERT INTO idempotency_idempotencykey (user_id, key, fingerprint, status, body, created_at)
    SELECT %(owner)s, %(key)s::text, %(fingerprint)s::text, 201, %(answer)s::text,
           %(created_at)s
      FROM booking WHERE %(key)s::text IS NOT NULL
)
SELECT booking.id, moment.in_time FROM moment LEFT JOIN booking ON TRUE
"""

DEADLOCKS_FORGIVEN: Final = 3
# PostgreSQL's clock; tests move it.
now_sql = "clock_timestamp()"


@dataclass(frozen=True, kw_only=True)
class NewBooking:
    """What is to be booked. `seats` (ids), `passengers` (or None each) and `seat_fares` run side
    by side (`seat_fares` may be left out: nothing is known of them); `fare` is the sum.

    `fact` is the body of the `booking.confirmed` fact. `deadline_ms`: until when PostgreSQL may
    book it, by its own clock; None for a hold that is pinned in Redis. `key`, `fingerprint`,
    `answer`: the Idempotency-Key and the body to keep for it, or None.
    """

    hold: str
    pnr: str
    owner: int
    departure: int
    from_stop: int
    to_stop: int
    fare: Decimal
    currency: str
    fence: int
    created_at: datetime
    seats: Sequence[int]
    passengers: Sequence[dict[str, Any] | None]
    seat_fares: Sequence[SeatFare] = ()
    fact: dict[str, Any]
    deadline_ms: int | None = None
    key: str | None = None
    fingerprint: str | None = None
    answer: bytes | None = None


class Verdict(Enum):
    """What PostgreSQL said."""

    BOOKED = "booked"
    HOLD_KNOWN = "hold known"  # a booking or a void row has this hold already
    TOO_LATE = "too late"  # its deadline has come
    SEAT_TAKEN = "seat taken"  # the exclusion constraint refused
    KEY_KNOWN = "key known"  # this Idempotency-Key was used meanwhile
    PNR_KNOWN = "pnr known"


def insert_booking(booking: NewBooking) -> Verdict:
    """Run the statement. Any other error (a lost connection at COMMIT) is not a no: it is raised.

    A deadlock is tried again: 10 % of the losers in a same-seat race are told so. More than once,
    because the one that goes on finds the second try's rows when it looks again, and both wait for
    each other once more (seen on a busy machine).
    """
    values = {name: getattr(booking, name) for name in booking.__dataclass_fields__}
    fares = booking.seat_fares or [SeatFare(ZERO, ZERO)] * len(booking.seats)
    together = zip(booking.seats, booking.passengers, fares, strict=True)
    ordered = sorted(together, key=lambda row: row[0])
    values |= {
        "seats": [seat for seat, _, _ in ordered],
        "passengers": [None if person is None else Jsonb(person) for _, person, _ in ordered],
        "fares": [fare.total for _, _, fare in ordered],
        "parts": [Jsonb(fare.as_text()) for _, _, fare in ordered],
        "event_id": f"{booking.hold}:confirmed",
        "fact": Jsonb(booking.fact, dumps=_dumps),
        "answer": None if booking.answer is None else booking.answer.decode(),
    }
    for _ in range(DEADLOCKS_FORGIVEN):
        try:
            return _run(values)
        except OperationalError as error:
            if not isinstance(error.__cause__, pg.DeadlockDetected):
                raise
    return _run(values)


def _run(values: dict[str, Any]) -> Verdict:
    try:
        with connection.cursor() as cursor:
            cursor.execute(_INSERT.format(now=now_sql), values)
            booking, in_time = cursor.fetchone()
    except IntegrityError as error:
        return _verdict(error)
    if booking is not None:
        return Verdict.BOOKED
    return Verdict.HOLD_KNOWN if in_time else Verdict.TOO_LATE


def _verdict(error: IntegrityError) -> Verdict:
    cause = error.__cause__
    constraint = getattr(getattr(cause, "diag", None), "constraint_name", None)
    if isinstance(cause, pg.ExclusionViolation):
        return Verdict.SEAT_TAKEN
    if constraint == "idempotency_user_key":
        return Verdict.KEY_KNOWN
    if isinstance(cause, pg.UniqueViolation) and "pnr" in (constraint or ""):
        return Verdict.PNR_KNOWN
    raise error


def _dumps(value: Any) -> bytes:
    return msgspec.json.encode(value)

"""The one statement that makes bookings: each with its seats, fact and idempotency key together.

It runs alone, so it is its own transaction: all of it commits, or nothing. The exclusion
constraint on the seats decides (P1); the answer is given after COMMIT, with fsync on (P4).

One booking or fifty, it is the same statement, which PostgreSQL parses and plans once for each
connection: what is to be written comes as one JSON document. Fifty in one statement, and one
COMMIT, cost PostgreSQL a sixth of fifty by themselves. Where one of many is refused, nothing is
written, and the halves are tried by themselves, so that each gets the verdict that is its own:

    a b c d    refused (c's seat is sold)
    a b        booked                          c d    refused
                                               c      seat taken        d    booked
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final

import msgspec
from django.db import DatabaseError, IntegrityError, transaction
from psycopg import errors as pg

from config.stores.postgres.prepared import prepared_cursor
from trains.fares import ZERO, SeatFare

# Rows are written in sorted order, so that confirms that overlap wait instead of deadlock.
# The moment is read once: a hold that Redis does not keep is judged by this clock.
_INSERT: Final = """
WITH moment AS MATERIALIZED (
    SELECT {now} AS is_now
), wanted AS MATERIALIZED (
    SELECT given.*, given.deadline_ms IS NULL
           OR is_now < to_timestamp(given.deadline_ms / 1000.0) AS in_time
      FROM moment, jsonb_to_recordset(%(bookings)s::jsonb) AS given(
           hold text, pnr text, owner bigint, departure bigint, from_stop smallint,
           to_stop smallint, fare numeric, currency text, fence bigint, created_at timestamptz,
           deadline_ms bigint, fact jsonb, key text, fingerprint text, answer text, seats jsonb)
), booking AS (
    INSERT INTO reservations_booking (hold, pnr, owner_id, departure_id, status, from_stop,
                                      to_stop, fare, currency, fence, created_at)
    SELECT hold, pnr, owner, departure, 'confirmed', from_stop, to_stop, fare, currency, fence,
           created_at
      FROM wanted WHERE in_time
     ORDER BY hold
    ON CONFLICT (hold) DO NOTHING
    RETURNING id, hold
), seats AS (
    INSERT INTO reservations_bookedseat (booking_id, departure_id, seat_id, legs, live, passenger,
                                         fare, fare_parts)
    SELECT booking.id, wanted.departure, each.seat,
           int4range(wanted.from_stop, wanted.to_stop), TRUE,
           each.passenger, each.fare, each.parts
      FROM booking JOIN wanted USING (hold), jsonb_to_recordset(wanted.seats)
           AS each(seat bigint, passenger jsonb, fare numeric, parts jsonb)
     ORDER BY wanted.departure, each.seat
), fact AS (
    INSERT INTO outbox_outboxevent (event_id, kind, subject, stage, number, body, occurred_at)
    SELECT hold || ':confirmed', 'booking.confirmed', pnr, 3, 0, fact, created_at
      FROM booking JOIN wanted USING (hold)
), kept AS (
    INSERT INTO idempotency_idempotencykey (user_id, key, fingerprint, status, body, created_at)
    SELECT owner, key, fingerprint, 201, answer, created_at
      FROM booking JOIN wanted USING (hold) WHERE key IS NOT NULL
     ORDER BY owner, key
)
SELECT wanted.hold, booking.id, wanted.in_time FROM wanted LEFT JOIN booking USING (hold)
"""

DEADLOCKS_FORGIVEN: Final = 3
# More would keep a rival for one of their seats waiting; the gain is had long before.
TOGETHER: Final = 50
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
    SETTLED = "settled"  # booked, and Redis was told with others' (`shared_commit`)
    HOLD_KNOWN = "hold known"  # a booking or a void row has this hold already
    TOO_LATE = "too late"  # its deadline has come
    SEAT_TAKEN = "seat taken"  # the exclusion constraint refused
    KEY_KNOWN = "key known"  # this Idempotency-Key was used meanwhile
    PNR_KNOWN = "pnr known"


def insert_booking(booking: NewBooking) -> Verdict:
    """Write one booking. An error of any other kind is raised, and is not a no (`COMMIT` may have
    been done when the connection was lost).
    """
    (verdict,) = insert_bookings([booking])
    if isinstance(verdict, DatabaseError):
        raise verdict
    return verdict


def insert_bookings(bookings: Sequence[NewBooking]) -> list[Verdict | DatabaseError]:
    """Write many, at most TOGETHER in one statement and one COMMIT; the verdict of each.

    An error in place of a verdict is not a no: nobody knows whether that booking was written.
    """
    verdicts: list[Verdict | DatabaseError] = []
    for at in range(0, len(bookings), TOGETHER):
        verdicts += _insert(bookings[at : at + TOGETHER])
    return verdicts


def _insert(bookings: Sequence[NewBooking]) -> Sequence[Verdict | DatabaseError]:
    """One statement, or two for the halves of what was refused as a whole.

    A deadlock is tried again: 10 % of the losers in a same-seat race are told so. More than once,
    because the one that goes on finds the second try's rows when it looks again, and both wait for
    each other once more (seen on a busy machine).
    """
    tries_left = DEADLOCKS_FORGIVEN
    while True:
        try:
            return _run(bookings)
        except IntegrityError as error:
            if len(bookings) == 1:
                return [_verdict(error)]
            break
        except DatabaseError as error:
            if not isinstance(error.__cause__, pg.DeadlockDetected) or not tries_left:
                return [error] * len(bookings)
            tries_left -= 1
    middle = len(bookings) // 2
    return [*_insert(bookings[:middle]), *_insert(bookings[middle:])]


def insert_booking_within(booking: NewBooking) -> Verdict:
    """The same in the caller's transaction: a refusal undoes this statement and nothing else."""
    savepoint = transaction.savepoint()
    verdict = insert_booking(booking)
    if verdict is Verdict.BOOKED:
        transaction.savepoint_commit(savepoint)
    else:
        transaction.savepoint_rollback(savepoint)
    return verdict


def _run(bookings: Sequence[NewBooking]) -> Sequence[Verdict]:
    document = _encode([_as_json(booking) for booking in bookings])
    with prepared_cursor() as cursor:
        cursor.execute(_INSERT.format(now=now_sql), {"bookings": document.decode()})
        said = {hold: (booking, in_time) for hold, booking, in_time in cursor.fetchall()}
    return [_told(*said[booking.hold]) for booking in bookings]


def _as_json(booking: NewBooking) -> dict[str, Any]:
    """A booking as the statement reads it."""
    values = {name: getattr(booking, name) for name in _FIELDS}
    fares = booking.seat_fares or [SeatFare(ZERO, ZERO)] * len(booking.seats)
    values["seats"] = [
        {"seat": seat, "passenger": person, "fare": fare.total, "parts": fare.as_text()}
        for seat, person, fare in zip(booking.seats, booking.passengers, fares, strict=True)
    ]
    values["answer"] = None if booking.answer is None else booking.answer.decode()
    return values


def _told(booking: int | None, in_time: bool) -> Verdict:
    if booking is not None:
        return Verdict.BOOKED
    return Verdict.HOLD_KNOWN if in_time else Verdict.TOO_LATE


def _verdict(error: IntegrityError) -> Verdict | IntegrityError:
    cause = error.__cause__
    constraint = getattr(getattr(cause, "diag", None), "constraint_name", None)
    if isinstance(cause, pg.ExclusionViolation):
        return Verdict.SEAT_TAKEN
    if constraint == "idempotency_user_key":
        return Verdict.KEY_KNOWN
    if isinstance(cause, pg.UniqueViolation) and "pnr" in (constraint or ""):
        return Verdict.PNR_KNOWN
    return error


_FIELDS: Final = tuple(name for name in NewBooking.__dataclass_fields__ if name != "seat_fares")
_encode: Final = msgspec.json.Encoder(decimal_format="string").encode

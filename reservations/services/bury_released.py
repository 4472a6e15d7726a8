"""A released hold stays released, whatever Redis forgets: PostgreSQL is told too.

Redis comes first, because a hold that is being confirmed must not be buried (rule 5). What lies
between the two is owed, in Redis, written by the release script itself:

    release.lua   member ended, bits cleared, {s}:unburied += hold
    PostgreSQL    INSERT void
    Redis         {s}:unburied -= hold

A process that dies in between, or PostgreSQL away: the sweep pays (`bury_unburied`). Only when
Redis is lost before that does a capability bring such a hold back.
"""

import logging
from collections.abc import Sequence
from functools import partial
from typing import Final

import psycopg_pool
import redis
from django.db import InterfaceError, OperationalError, connection, transaction

from config.stores.outage import Outage
from reservations.bookings.tombstone import bury
from reservations.holds import ids, unburied
from reservations.holds.scripts import Outcome
from reservations.services.resolve_pin import settle_booking

logger = logging.getLogger(__name__)

AWAY: Final = (OperationalError, InterfaceError, psycopg_pool.PoolTimeout)
REST_SECONDS: Final = 5.0
PER_SHARD: Final = 64
ROUNDS: Final = 100

_outage = Outage(
    logger,
    lost="PostgreSQL is away: released holds are buried later",
    back="released holds are buried again",
    rest_seconds=REST_SECONDS,
)


def bury_released(ref: ids.HoldRef, outcome: Outcome) -> None:
    """After a release: make sure that no capability brings this hold back.

    PostgreSQL away is no error, unless the caller's own transaction needs it.
    """
    if _outage.is_resting:
        return
    try:
        booking = bury([ref]).get(ref.hold)
    except AWAY as away:
        if connection.in_atomic_block:
            raise
        _outage.failed(away)
        return
    _outage.answered()
    transaction.on_commit(partial(_forget_debt, [ref.hold]))
    if booking is not None and outcome is Outcome.RELEASED:
        # It was booked past Redis, which did not know: its seats are not free.
        transaction.on_commit(partial(settle_booking, ref, booking))


def bury_unburied() -> int:
    """The sweep's part: bury what was released and not buried, a bounded number; how many."""
    paid = 0
    for _ in range(ROUNDS):
        holds = unburied.read_unburied(PER_SHARD)
        if not holds:
            break
        bury([ids.read(hold) for hold in holds])
        unburied.forget_unburied(holds)
        paid += len(holds)
    return paid


def _forget_debt(holds: Sequence[str]) -> None:
    try:
        unburied.forget_unburied(holds)
    except redis.RedisError:
        logger.debug("a buried hold is still called unburied; the sweep will look", exc_info=True)

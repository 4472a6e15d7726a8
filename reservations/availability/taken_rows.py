"""What PostgreSQL says of seats: sold, by live rows, and blocked by staff. One query."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from config.stores.postgres.prepared import prepared_cursor
from reservations.availability.train_plan import NO_SEAT, Plan, TrainPlan
from reservations.availability.words import Ints, Words, no_words, set_legs

# One row a departure and kind: thousands of seats as arrays, not as rows. A block is of all legs.
# The casts matter: psycopg sends small numbers as smallint, which the GiST index of the exclusion
# constraint cannot compare with its bigint.
_TAKEN: Final = """
SELECT departure_id, FALSE, array_agg(seat_id), array_agg(lower(legs)), array_agg(upper(legs))
  FROM reservations_bookedseat
 WHERE departure_id = ANY(%(departures)s::bigint[]) AND live
 GROUP BY departure_id
UNION ALL
SELECT departure_id, TRUE, array_agg(seat_id), array_agg(0), array_agg(32767)
  FROM reservations_seatblock
 WHERE departure_id = ANY(%(departures)s::bigint[])
 GROUP BY departure_id
"""
# The same of pairs: one look into the index for each, however full the departures are.
_TAKEN_OF: Final = """
WITH wanted AS (
     SELECT * FROM unnest(%(departures)s::bigint[], %(seats)s::bigint[]) AS pair (departure, seat))
SELECT departure_id, FALSE, array_agg(seat_id), array_agg(lower(legs)), array_agg(upper(legs))
  FROM wanted JOIN reservations_bookedseat ON departure_id = departure AND seat_id = seat AND live
 GROUP BY departure_id
UNION ALL
SELECT departure_id, TRUE, array_agg(seat_id), array_agg(0), array_agg(32767)
  FROM wanted JOIN reservations_seatblock ON departure_id = departure AND seat_id = seat
 GROUP BY departure_id
"""


@dataclass(frozen=True, eq=False)
class TakenRows:
    """Seat images made of rows. `sold` is without the `blocked` ones."""

    sold: Words
    blocked: Words


def read_taken(
    plans: Mapping[int, Plan], seats: Mapping[int, Collection[int]] | None = None
) -> dict[int, TakenRows]:
    """For each departure its rows as images; only those of its `seats` (ids), if given.

    A row whose seat the plan does not know (the train has grown since) is left out.
    """
    if not plans:
        return {}
    taken = {
        departure: TakenRows(no_words(plan.train), no_words(plan.train))
        for departure, plan in plans.items()
    }
    with prepared_cursor() as cursor:
        if seats is None:
            cursor.execute(_TAKEN, {"departures": list(plans)})
        else:
            pairs = [(departure, seat) for departure in plans for seat in seats[departure]]
            departures, seat_ids = zip(*pairs, strict=True) if pairs else ((), ())
            cursor.execute(_TAKEN_OF, {"departures": list(departures), "seats": list(seat_ids)})
        rows = cursor.fetchall()
    for departure, is_blocked, taken_seats, from_stops, to_stops in rows:
        train = plans[departure].train
        words = taken[departure].blocked if is_blocked else taken[departure].sold
        ordinals = _ordinals(train, taken_seats)
        known = ordinals != NO_SEAT
        ends = np.minimum(np.array(to_stops, np.int64), train.legs)
        set_legs(words, ordinals[known], np.array(from_stops, np.int64)[known], ends[known])
    return taken


def _ordinals(train: TrainPlan, seats: Sequence[int]) -> Ints:
    """The ordinals of seats given by id; NO_SEAT for those the plan does not know."""
    wanted = np.array(seats, np.int64)
    if not train.places:
        return np.full(wanted.size, NO_SEAT)
    order = np.argsort(train.seat_ids, kind="stable")
    in_order = train.seat_ids[order]
    at = np.minimum(np.searchsorted(in_order, wanted), in_order.size - 1)
    return np.where(in_order[at] == wanted, order[at], NO_SEAT)

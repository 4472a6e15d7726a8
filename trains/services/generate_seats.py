"""Make the seat rows that coaches lack, in one statement for any number of coaches."""

from collections.abc import Sequence

from django.db import connection, transaction

from trains.services.touch_departures import touch_departures

_LOCK_TRAINS = """
SELECT id FROM trains_train
 WHERE id IN (SELECT train_id FROM trains_coach WHERE id = ANY(%(coaches)s))
 ORDER BY id FOR NO KEY UPDATE
"""

# New seats are appended: a seat keeps its ordinal for ever (it is its place in the seat image).
# Everything is joined a coach at a time, before coaches become seats: a join of hundreds of
# thousands of seats is planned as a nested loop where statistics lag behind a bulk insert.
_INSERT = """
WITH last AS MATERIALIZED (
    SELECT t.id AS train_id,
           (SELECT coalesce(max(s.ordinal), -1) FROM trains_seat s
             WHERE s.train_id = t.id) AS ordinal
      FROM trains_train t
     WHERE t.id IN (SELECT train_id FROM trains_coach WHERE id = ANY(%(coaches)s))
), existing AS MATERIALIZED (
    SELECT coach_id, array_agg(number) AS numbers
      FROM trains_seat WHERE coach_id = ANY(%(coaches)s) GROUP BY coach_id
), coach AS MATERIALIZED (
    SELECT c.id, c.train_id, c."order", c.capacity, t.layout->'seats' AS places,
           last.ordinal AS last_ordinal, coalesce(e.numbers, '{}') AS numbers
      FROM trains_coach c
      JOIN last ON last.train_id = c.train_id
      LEFT JOIN existing e ON e.coach_id = c.id
      LEFT JOIN trains_vehicletemplate t ON t.id = c.template_id
     WHERE c.id = ANY(%(coaches)s)
)
INSERT INTO trains_seat (train_id, coach_id, ordinal, number, position)
SELECT coach.train_id, coach.id,
       coach.last_ordinal + row_number() OVER (
           PARTITION BY coach.train_id ORDER BY coach."order", coach.id, n),
       n, coalesce(places->((n - 1) %% jsonb_array_length(places))->>'position', '')
  FROM coach CROSS JOIN LATERAL generate_series(1, coach.capacity) AS n
 WHERE n <> ALL(coach.numbers)
RETURNING train_id
"""


_MAKE = f"""
WITH made AS ({_INSERT}), bumped AS (
    UPDATE trains_train SET revision = revision + 1 WHERE id IN (SELECT train_id FROM made)
)
SELECT train_id, count(*) FROM made GROUP BY train_id
"""  # noqa: S608  # constants only


def generate_seats(*, coach_ids: Sequence[int], actor_id: int | None = None) -> int:
    """Make the missing seats of these coaches and return how many were made.

    Safe to repeat and to run twice at once: the trains are locked first, and a seat that exists
    is left alone. If a seat was made the train's revision moves, so that plans kept in memory
    are read again, and its departures are touched, so that seat images follow. Importers call it
    once after a bulk insert of coaches.
    """
    if not coach_ids:
        return 0
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_LOCK_TRAINS, {"coaches": list(coach_ids)})
            cursor.execute(_MAKE, {"coaches": list(coach_ids)})
            made: dict[int, int] = dict(cursor.fetchall())
        touch_departures(fields=["seats"], actor_id=actor_id, train_ids=sorted(made))
    return sum(made.values())

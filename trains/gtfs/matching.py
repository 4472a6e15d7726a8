"""Find again, among the trains of the last import, those the feed has now.

Trains of a feed belong together by `feed_number`, what the feed calls them. Among those of one
number a train with the same stops and times is the same train. What is left on both sides is
paired in order, and the train gets its new timetable, unless somebody holds or has booked (or
ever did) a seat on one of its departures: then its stops stay for ever, and the new timetable
becomes a new train beside it. The old one keeps those departures and loses all others.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from trains.gtfs.in_use import trains_in_use
from trains.gtfs.numbers import CodeBook, plain_code
from trains.gtfs.staging import copy_rows, create_table
from trains.models import Feed, Train

SAME, CHANGED, NEW = "same", "changed", "new"

# The signature is computed as in `trains.gtfs.runs.signature`.
_EXISTING: Final = """
CREATE TEMP TABLE gtfs_existing ON COMMIT DROP AS
SELECT t.id AS train_id, t.number, t.feed_number,
       md5(t.timezone || '|' || coalesce(string_agg(
           concat_ws(',', s.station_id, s.arrival_seconds, s.departure_seconds,
                     s.pickup::int, s.drop_off::int), ';' ORDER BY s.sequence), '')) AS signature
  FROM trains_train t
  LEFT JOIN trains_stop s ON s.train_id = t.id
 WHERE t.feed_id = %s
 GROUP BY t.id
"""

_SAME: Final = """
UPDATE gtfs_train wanted
   SET train_id = found.train_id, number = found.number, fate = 'same'
  FROM (SELECT DISTINCT ON (feed_number, signature) *
          FROM gtfs_existing ORDER BY feed_number, signature, train_id) found
 WHERE found.feed_number = wanted.feed_number AND found.signature = wanted.signature
"""

# Both sides of what is left, in the order in which they are paired. The plain number comes first.
_WANTED_LEFT: Final = """
SELECT feed_number, id FROM gtfs_train WHERE fate IS NULL
 ORDER BY feed_number COLLATE "C", first_departure, trip_id COLLATE "C"
"""
_EXISTING_LEFT: Final = """
SELECT feed_number, train_id, number FROM gtfs_existing one
 WHERE NOT EXISTS (SELECT 1 FROM gtfs_train WHERE train_id = one.train_id)
   AND feed_number IN (SELECT feed_number FROM gtfs_train WHERE fate IS NULL)
 ORDER BY feed_number COLLATE "C", length(number), number COLLATE "C"
"""
_WRITE: Final = """
UPDATE gtfs_train wanted
   SET train_id = decided.train_id, number = decided.number, fate = decided.fate
  FROM gtfs_decided decided WHERE decided.run_id = wanted.id
"""


@dataclass(frozen=True)
class Succession:
    """A train that stays as it is because of its sales, and the new train after it."""

    old_train_id: int
    old_number: str
    run_id: int


def match_trains(feed: Feed) -> list[Succession]:
    """Decide for every staged train whether it is the same, changed or new, and its number."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS gtfs_existing")
        cursor.execute(_EXISTING, [feed.pk])
        cursor.execute("ANALYZE gtfs_existing")
        cursor.execute(_SAME)
        cursor.execute(_WANTED_LEFT)
        wanted: Sequence[tuple[str, int]] = cursor.fetchall()
        cursor.execute(_EXISTING_LEFT)
        existing: Sequence[tuple[str, int, str]] = cursor.fetchall()
    in_use = trains_in_use([train_id for _, train_id, _ in existing])
    free: dict[str, list[tuple[int, str]]] = defaultdict(list)
    kept: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for called, train_id, number in existing:
        (kept if train_id in in_use else free)[called].append((train_id, number))
    decided: list[tuple[Any, ...]] = []
    successions = []
    codes = _code_book(feed, {called for called, _ in wanted})
    for called, run_id in wanted:
        if free[called]:
            decided.append((run_id, *free[called].pop(0), CHANGED))
            continue
        decided.append((run_id, None, codes.give(called), NEW))
        successions += [Succession(*old, run_id) for old in kept[called]]
    _write(decided)
    return successions


def _code_book(feed: Feed, wanted: set[str]) -> CodeBook:
    own = Train.objects.filter(feed=feed)
    return CodeBook(
        feed.code,
        own=own.values_list("number", flat=True),
        foreign=Train.objects.exclude(feed=feed).values_list("number", flat=True),
        plain={plain_code(called) for called in wanted},
    )


def _write(decided: Sequence[tuple[Any, ...]]) -> None:
    create_table("gtfs_decided", "run_id int, train_id bigint, number text, fate text")
    copy_rows("gtfs_decided", ("run_id", "train_id", "number", "fate"), decided)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE gtfs_decided")
        cursor.execute(_WRITE)
        cursor.execute("CREATE INDEX ON gtfs_train (train_id)")
        cursor.execute("ANALYZE gtfs_train")

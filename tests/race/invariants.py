"""What must be true of a departure whenever nobody is in the middle of something."""

import numpy as np
from django.db import connection

from config.stores import keys
from config.stores.redis import holds_store
from reservations.availability.plans import read_again
from reservations.availability.taken_rows import read_taken
from reservations.availability.words import no_words, set_legs, words_of
from reservations.holds import store
from reservations.invariants.checks import check_engine
from reservations.invariants.judging import Scope
from trains.models import Departure

_OVERLAPS = """
SELECT a.seat_id, a.id, b.id
  FROM reservations_bookedseat a
  JOIN reservations_bookedseat b ON b.id > a.id AND b.departure_id = a.departure_id
       AND b.seat_id = a.seat_id AND b.legs && a.legs
 WHERE a.live AND b.live AND a.departure_id = %s
"""


def sold_twice(departure: Departure) -> list[tuple[int, int, int]]:
    """Pairs of live booked seats that overlap, as (seat, row, row). There are none, ever (P1)."""
    with connection.cursor() as cursor:
        cursor.execute(_OVERLAPS, [departure.pk])
        return list(cursor.fetchall())


def check(departure: Departure, *, holds: int | None = None) -> None:
    """Image = live holds + live rows, to the bit; nobody is left in the middle of a confirm.

    `holds`: how many live holds there must be.
    """
    assert sold_twice(departure) == []
    plan = read_again([departure.pk])[departure.pk]
    (image,) = store.read_images([departure.pk], members=True)
    assert [member.hold for member in image.members if member.pinned] == []
    if holds is not None:
        assert len(image.members) == holds
    assert image.loaded, "an image that nobody loaded shows nothing"

    held = no_words(plan.train)
    for member in image.members:
        mine = no_words(plan.train)
        seats = np.array(member.ordinals, dtype=np.int64)
        stops = (np.full_like(seats, stop) for stop in (member.from_stop, member.to_stop))
        set_legs(mine, seats, *stops)
        assert not (held & mine).any(), "two holds have one seat-leg"
        held |= mine
    assert np.array_equal(words_of(image.held, plan.train), held), "held bits are not the holds"
    rows = read_taken({departure.pk: plan})[departure.pk]
    sold = words_of(image.sold, plan.train)
    assert np.array_equal(sold, rows.sold | rows.blocked), "sold bits are not the rows"
    assert not (held & sold).any(), "a seat-leg is held and sold"
    _check_keys(departure, {member.hold for member in image.members})
    scope = Scope(departures=(departure.pk,), patience_seconds=0.0)
    assert [result for result in check_engine(scope) if not result.is_good] == []


def _check_keys(departure: Departure, holds: set[str]) -> None:
    """No key of a hold that is over is left, and no owner's list names one."""
    redis, of = holds_store(), keys.of(departure.pk, "")
    tag = of.partition(":")[0]
    for name in redis.scan_iter(f"{tag}:hold:{departure.pk}:*", count=1000):
        assert name.decode().rpartition(":")[2] in holds, name
    for name in redis.scan_iter(f"{tag}:seat:{departure.pk}:*", count=1000):
        named = redis.get(name)
        assert isinstance(named, bytes)
        assert named.decode() in holds, name
    for name in redis.scan_iter(f"{tag}:mine:{departure.pk}:*", count=1000):
        for member in redis.zrange(name, 0, -1):
            assert isinstance(member, bytes)
            assert member.decode().partition(" ")[0] in holds, name
    assert (redis.zscore(f"{tag}:due", str(departure.pk)) is not None) == bool(holds)

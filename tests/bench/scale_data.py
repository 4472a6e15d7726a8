"""Data for `make scale`, loaded by COPY: trains on lines of their own, departures, bookings.

Loading is repeatable: each function makes what is missing up to a number, so that a run that was
cut off goes on where it was.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import islice
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import connection
from psycopg.types.range import Range

from config import clock
from reservations.bookings.pnr import ALPHABET
from tests.availability import railway
from trains.models import Departure, Seat, Stop, Train
from users.models import User

TRAINS_ON_A_LINE: Final = 20
DAYS: Final = 340
STOPS: Final = 21
SEATS: Final = 72
OPENED_BEFORE_DAYS: Final = 2


def copy(table: str, columns: Sequence[str], rows: Iterator[Sequence[Any]]) -> int:
    """COPY these rows into a table; how many there were."""
    number = 0
    connection.ensure_connection()
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    with connection.connection.cursor() as cursor, cursor.copy(statement) as target:
        for number, row in enumerate(rows, 1):  # noqa: B007  # counted
            target.write_row(row)
    return number


def grow_trains(number: int) -> None:
    """So many trains, twenty on each line; all have the same coach."""
    for made in range(Train.objects.filter(number__startswith="line-").count(), number):
        line = made // TRAINS_ON_A_LINE
        railway.train(
            f"line-{made:05}",
            stops=tuple(f"L{line}S{stop:02}" for stop in range(STOPS)),
            coaches=[("S1", "SL", SEATS)],
            leg_seconds=1800,
        )


def grow_departures(number: int) -> int:
    """So many departures over the coming days; how many there are now."""
    grow_trains(-(-number // DAYS))
    known = Departure.objects.filter(train__number__startswith="line-").count()
    columns = ["train_id", "service_date", "starts_at", "ends_at", "status", "sale_opens_at",
               "fare_factor", "revision"]  # fmt: skip
    # Before the COPY, which has the connection to itself.
    rows = list(islice(_departures(known), number - known))
    made = copy("trains_departure", columns, iter(rows))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE trains_departure, trains_train, trains_stop, trains_seat")
    return known + made


def _departures(known: int) -> Iterator[Sequence[Any]]:
    """Rows after the first `known`: train by train, day by day."""
    trains = Train.objects.filter(number__startswith="line-").order_by("number")
    ends = Stop.objects.filter(sequence=STOPS - 1).values_list("train_id", "arrival_seconds")
    last = dict(ends)
    opened = clock.now() - timedelta(days=1)
    today = clock.now().astimezone(ZoneInfo(railway.ZONE)).date()
    ids = list(trains.values_list("pk", flat=True))
    for place in range(known, len(ids) * DAYS):
        train, day = ids[place // DAYS], today + timedelta(days=OPENED_BEFORE_DAYS + place % DAYS)
        starts = railway.service_day_start(day)
        ended = starts + timedelta(seconds=last[train])
        yield train, day, starts, ended, "open", opened, 1, 1


def grow_bookings(number: int) -> int:
    """So many bookings of one seat each, five legs long; how many there are now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM reservations_booking WHERE hold LIKE 'copied-%'")
        known = int(cursor.fetchone()[0])
        cursor.execute("SELECT coalesce(max(id), 0) FROM reservations_booking")
        above = int(cursor.fetchone()[0]) + 1
    if known >= number:
        return known
    places = list(islice(_places(), known, number))
    owner = User.objects.get_or_create(username="scale", email="scale@example.org")[0].pk
    now = clock.now()
    columns = ["id", "hold", "pnr", "owner_id", "departure_id", "status", "from_stop", "to_stop",
               "fare", "currency", "fence", "created_at"]  # fmt: skip
    copy(
        "reservations_booking",
        columns,
        (
            (above + at, f"copied-{known + at}", _pnr(known + at), owner, run, "confirmed", first,
             first + 5, 100, "INR", 1, now)
            for at, (run, _, first) in enumerate(places)
        ),
    )  # fmt: skip
    columns = ["booking_id", "departure_id", "seat_id", "legs", "live", "fare", "fare_parts"]
    copy(
        "reservations_bookedseat",
        columns,
        (
            (above + at, run, seat, Range(first, first + 5), True, 100, "{}")
            for at, (run, seat, first) in enumerate(places)
        ),
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence('reservations_booking', 'id'),"
            " (SELECT max(id) FROM reservations_booking))"
        )
        cursor.execute("ANALYZE reservations_booking, reservations_bookedseat, trains_departure")
    return number


def _places() -> Iterator[tuple[int, int, int]]:
    """Departure, seat and first leg: the last seats of the departures that are furthest away."""
    seats: dict[int, list[int]] = {}
    for train, seat in Seat.objects.filter(train__number__startswith="line-").order_by(
        "train_id", "-ordinal"
    ).values_list("train_id", "pk"):  # fmt: skip
        seats.setdefault(train, []).append(seat)
    runs = list(
        Departure.objects.filter(train__number__startswith="line-")
        .order_by("-service_date", "pk")
        .values_list("pk", "train_id")
    )
    for nth in range(SEATS):
        for first in (0, 5, 10, 15):
            for run, train in runs:
                yield run, seats[train][nth], first


def _pnr(number: int) -> str:
    """Ten letters, a number's own; those of real bookings are random."""
    letters = []
    for _ in range(10):
        number, letter = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[letter])
    return "".join(letters)

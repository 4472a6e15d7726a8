"""Give a train other stops, as long as nobody has paid for the old ones."""

from collections.abc import Sequence

from django.db import connection

from config import clock
from trains import hooks
from trains.errors import TrainBelongsToFeed, TrainHasSales
from trains.models import Departure, Stop, Train
from trains.proposals import (
    DAY_SECONDS,
    ProposedStop,
    check_neighbours,
    measure_stops,
    time_stops,
)
from trains.services.find_stations import find_stations

# The moments of departures follow the stops; the zone may be another with another first station.
_RETIME = """
UPDATE trains_departure d
   SET starts_at = moved.starts_at,
       ends_at = moved.starts_at + make_interval(secs => %(last_seconds)s)
  FROM (SELECT id, ((service_date + time '12:00') AT TIME ZONE %(timezone)s)
                   - interval '12 hours' AS starts_at
          FROM trains_departure WHERE train_id = %(train)s AND ends_at > %(now)s) moved
 WHERE d.id = moved.id
"""


def current_stops(train: Train) -> list[ProposedStop]:
    """The stops a train has, in the words of a proposal; distances from the first."""
    return [
        ProposedStop(
            station=stop.station.code,
            arrival=stop.arrival_seconds % DAY_SECONDS,
            departure=stop.departure_seconds % DAY_SECONDS,
            day=1 + stop.arrival_seconds // DAY_SECONDS,
            distance_km=stop.distance_km,
        )
        for stop in train.stops.select_related("station").order_by("sequence")
    ]


def change_stops(*, train: Train, stops: Sequence[ProposedStop]) -> bool:
    """Replace the stops; whether they are others than before. The caller has locked the train,
    saves its `timezone` and says that it changed.

    Raises `Invalid` as `create_train` does, `TrainHasSales`, `TrainBelongsToFeed`.
    """
    times = time_stops(stops)
    stations = find_stations([stop.station for stop in stops])
    check_neighbours(stations)
    rows = [
        Stop(
            train=train,
            sequence=sequence,
            station=station,
            arrival_seconds=at.arrival_seconds,
            departure_seconds=at.departure_seconds,
            distance_km=distance,
        )
        for sequence, (station, at, distance) in enumerate(
            zip(stations, times, measure_stops(stops, stations), strict=True)
        )
    ]
    if [_facts(row) for row in rows] == [_facts(row) for row in train.stops.order_by("sequence")]:
        return False
    if train.feed is not None:
        raise TrainBelongsToFeed(train.number, train.feed.code)
    now = clock.now()
    # A booking's row needs its departure's key: whoever comes now waits, who came is seen below.
    locked = Departure.objects.filter(train=train, ends_at__gt=now).order_by("pk")
    upcoming = set(locked.select_for_update().values_list("pk", flat=True))
    # A hold that lives, or a booking that was cancelled, counts its legs by these stops as well.
    if hooks.trains_with_sales([train.pk]) or upcoming & hooks.departures_in_use([train.pk]):
        raise TrainHasSales(train.number)

    # From here the stops must be replaced.
    train.stops.all().delete()
    Stop.objects.bulk_create(rows)
    train.timezone = stations[0].timezone
    with connection.cursor() as cursor:
        cursor.execute(
            _RETIME,
            {
                "train": train.pk,
                "timezone": train.timezone,
                "last_seconds": times[-1].arrival_seconds,
                "now": now,
            },
        )
    return True


def _facts(stop: Stop) -> tuple[object, ...]:
    return (stop.station_id, stop.arrival_seconds, stop.departure_seconds, stop.distance_km)

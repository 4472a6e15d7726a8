"""Write the stations of a feed, finding again those of its last import.

A station is found by the stop ids that were in it. It keeps its code for ever: tickets and links
carry it. Stations that the feed no longer has stay, since trains that were sold may stop there.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from django.db import connection

from trains.gtfs.numbers import CodeBook, plain_code
from trains.gtfs.report import Tally
from trains.gtfs.staging import create_table
from trains.gtfs.stations import FeedPlace, StationGroup, group_stations
from trains.gtfs.tables import BOARDING_AREA, STATION, STOP_OR_PLATFORM
from trains.models import Feed, FeedStop, Station

_BATCH: Final = 2000
_TRAINS_CALLING: Final = """
UPDATE trains_train SET revision = revision + 1
 WHERE id IN (SELECT train_id FROM trains_stop WHERE station_id = ANY(%s))
"""
_STOP_STATIONS: Final = """
INSERT INTO gtfs_stop_station (stop_id, station_id)
SELECT stop_id, station_id FROM trains_feedstop WHERE feed_id = %s
"""


def store_stations(feed: Feed, timezone: str) -> Tally:
    """Make, update and count the feed's stations; `timezone` is for those that name none.

    Leaves `gtfs_stop_station (stop_id, station_id)` for the timetable to join.
    """
    groups = group_stations(list(_places()))
    known = dict(FeedStop.objects.filter(feed=feed).values_list("stop_id", "station_id"))
    stations = Station.objects.in_bulk(sorted(set(known.values())))
    wishes = _wishes(groups)
    codes = _code_book(feed, wishes.values())
    chosen: list[tuple[Station, StationGroup]] = []
    new: list[Station] = []
    changed: list[Station] = []
    for group in groups:
        ids = sorted({known[one] for one in group.stop_ids if one in known})
        found = next((stations.pop(one) for one in ids if one in stations), None)
        station = found or Station(code=codes.give(wishes[group.head.stop_id]), feed=feed)
        if _describe(station, group, timezone):
            (changed if found else new).append(station)
        chosen.append((station, group))
    Station.objects.bulk_create(new, batch_size=_BATCH)
    fields = ["name", "latitude", "longitude", "timezone"]
    Station.objects.bulk_update(changed, fields, batch_size=_BATCH)
    with connection.cursor() as cursor:
        cursor.execute(_TRAINS_CALLING, [[station.pk for station in changed]])
    wanted = {stop_id: station.pk for station, group in chosen for stop_id in group.stop_ids}
    regrouped = _store_feed_stops(feed, known, wanted)
    gone = set(known.values()) - set(wanted.values())
    touched = ({station.pk for station in changed} | regrouped) - {one.pk for one in new}
    return Tally(total=len(groups), new=len(new), changed=len(touched), removed=len(gone))


def _places() -> Iterator[FeedPlace]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT stop_id, code, name, latitude, longitude, timezone, kind, parent"
            " FROM gtfs_stop WHERE kind = ANY(%s) ORDER BY line",
            [[STOP_OR_PLATFORM, STATION, BOARDING_AREA]],
        )
        for stop_id, code, name, latitude, longitude, zone, kind, parent in cursor:
            point = None if latitude is None else (latitude, longitude)
            yield FeedPlace(stop_id, code, name, point, zone, kind == STATION, parent)


def _describe(station: Station, group: StationGroup, timezone: str) -> bool:
    """Write what the feed says onto the station; whether anything is new."""
    latitude, longitude = group.point or (None, None)
    said = {
        "name": group.head.name[:200],
        "latitude": latitude,
        "longitude": longitude,
        "timezone": group.timezone or timezone,
    }
    is_new = any(getattr(station, field) != value for field, value in said.items())
    for field, value in said.items():
        setattr(station, field, value)
    return is_new


def _code_book(feed: Feed, wishes: Iterable[str]) -> CodeBook:
    return CodeBook(
        feed.code,
        own=Station.objects.filter(feed=feed).values_list("code", flat=True),
        foreign=Station.objects.exclude(feed=feed).values_list("code", flat=True),
        plain=map(plain_code, wishes),
    )


def _wishes(groups: Sequence[StationGroup]) -> dict[str, str]:
    """What each station would like to be called, by the id of its head: the `stop_code` that
    travellers know, if it is the code of one station only, else the `stop_id`.
    """
    uses = Counter(group.head.code.casefold() for group in groups if group.head.code)
    return {
        group.head.stop_id: group.head.code
        if group.head.code and uses[group.head.code.casefold()] == 1
        else group.head.stop_id
        for group in groups
    }


def _store_feed_stops(feed: Feed, known: dict[str, int], wanted: dict[str, int]) -> set[int]:
    """Write down which stop is in which station; return the stations that won or lost one."""
    left = {stop_id: one for stop_id, one in known.items() if wanted.get(stop_id) != one}
    come = {stop_id: one for stop_id, one in wanted.items() if known.get(stop_id) != one}
    FeedStop.objects.filter(feed=feed, stop_id__in=left).delete()
    FeedStop.objects.bulk_create(
        (
            FeedStop(feed=feed, stop_id=stop_id, station_id=station)
            for stop_id, station in come.items()
        ),
        batch_size=_BATCH,
    )
    create_table("gtfs_stop_station", "stop_id text PRIMARY KEY, station_id bigint")
    with connection.cursor() as cursor:
        cursor.execute(_STOP_STATIONS, [feed.pk])
        cursor.execute("ANALYZE gtfs_stop_station")
    return (set(left.values()) & set(wanted.values())) | set(come.values())

"""When people search: by hour of the day and by weekday."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings

from analytics.reports.ask import Pipeline, ask
from analytics.schema import REQUESTS

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, kw_only=True)
class Demand:
    """Searches since `since`, by the clock of `time_zone` (IANA).

    `by_hour`: 24 counts from midnight. `by_weekday`: from `mon`. `by_weekday_and_hour`: 24 counts
    for each weekday.
    """

    time_zone: str
    since: datetime
    searches: int
    by_hour: list[int]
    by_weekday: dict[str, int]
    by_weekday_and_hour: dict[str, list[int]]


def demand(*, since: datetime) -> Demand:
    """Searches that were answered since then, each once however many pages were read."""
    zone = settings.ENV.time_zone
    grid = {day: [0] * 24 for day in WEEKDAYS}
    for row in ask(REQUESTS, pipeline(since=since, time_zone=zone)):
        grid[WEEKDAYS[row["_id"]["weekday"] - 1]][row["_id"]["hour"]] = row["searches"]
    by_weekday = {day: sum(hours) for day, hours in grid.items()}
    return Demand(
        time_zone=zone,
        since=since,
        searches=sum(by_weekday.values()),
        by_hour=[sum(hours) for hours in zip(*grid.values(), strict=True)],
        by_weekday=by_weekday,
        by_weekday_and_hour=grid,
    )


def pipeline(*, since: datetime, time_zone: str) -> Pipeline:
    """Index `search_time`, covered. Weekday 1 is Monday."""
    moment = {"date": "$at", "timezone": time_zone}
    return [
        {"$match": {"search": True, "at": {"$gte": since}}},
        {
            "$group": {
                "_id": {"weekday": {"$isoDayOfWeek": moment}, "hour": {"$hour": moment}},
                "searches": {"$sum": 1},
            }
        },
    ]

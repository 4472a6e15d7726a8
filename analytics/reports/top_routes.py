"""Which routes people look for, and which they book."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from analytics.reports.ask import Pipeline, ask
from analytics.schema import FACTS, REQUESTS

By = Literal["searches", "bookings"]


@dataclass(frozen=True, kw_only=True)
class RouteCount:
    """Station codes, and how often since the moment that was asked for."""

    source: str
    destination: str
    count: int


def top_routes(*, by: By, since: datetime, limit: int) -> list[RouteCount]:
    """The routes with the most searches or bookings, most first; equal ones by their codes.

    A search counts when it was answered, once however many of its pages were read. A booking
    counts when it was made, cancelled later or not: it is demand that is measured here.
    """
    pipeline = (searches if by == "searches" else bookings)(since=since, limit=limit)
    return [RouteCount(**row) for row in ask(REQUESTS if by == "searches" else FACTS, pipeline)]


def searches(*, since: datetime, limit: int) -> Pipeline:
    """Index `search_time`, covered."""
    return [{"$match": {"search": True, "at": {"$gte": since}}}, *_most_frequent(limit)]


def bookings(*, since: datetime, limit: int) -> Pipeline:
    """Index `kind_time`, covered."""
    wanted = {"kind": "booking.confirmed", "at": {"$gte": since}, "source": {"$gt": ""}}
    return [{"$match": wanted}, *_most_frequent(limit)]


def _most_frequent(limit: int) -> Pipeline:
    return [
        {
            "$group": {
                "_id": {"source": "$source", "destination": "$destination"},
                "count": {"$sum": 1},
            }
        },
        {"$sort": {"count": -1, "_id.source": 1, "_id.destination": 1}},
        {"$limit": limit},
        {
            "$project": {
                "_id": 0,
                "source": "$_id.source",
                "destination": "$_id.destination",
                "count": 1,
            }
        },
    ]

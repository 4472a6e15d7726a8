"""How full departures are, from the facts of their bookings.

A seat sold for half the way fills half a seat: what is counted is seat-legs, of which a departure
has seats times legs. What was cancelled or exchanged is taken off again, whole bookings and parts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Max, OuterRef, QuerySet, Subquery, Sum

from analytics.reports.ask import Pipeline, ask
from analytics.schema import FACTS
from trains.models import Coach, Departure, Stop


@dataclass(frozen=True, kw_only=True)
class Occupancy:
    """One departure. `share` = seat_legs_sold / (seats * legs), 0 to 1, None without seats.

    `seats_sold` counts seats that are sold for at least one leg.
    """

    departure: int
    train: str
    service_date: date
    seats: int
    legs: int
    seats_sold: int
    seat_legs_sold: int
    share: float | None


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which departures: all with a booking in the window of service dates, or the one named."""

    first_date: date
    last_date: date
    train: str = ""
    departure: int | None = None


def occupancy(*, wanted: Wanted, limit: int, offset: int) -> tuple[int, list[Occupancy]]:
    """How many departures there are, and one page of them, by service date."""
    count, page = _page(wanted, limit, offset)
    sold_by_departure = {row["_id"]: row for row in ask(FACTS, sold(page))} if page else {}
    rows = [
        _occupancy(departure, sold_by_departure.get(departure.pk, {}))
        for departure in _with_capacity(page)
    ]
    return count, rows


def _page(wanted: Wanted, limit: int, offset: int) -> tuple[int, list[int]]:
    """How many departures are wanted, and the identifiers of one page of them."""
    if wanted.departure is not None:
        named = list(Departure.objects.filter(pk=wanted.departure).values_list("pk", flat=True))
        return len(named), named[offset : offset + limit]
    (found,) = ask(FACTS, departures(wanted=wanted, limit=limit, offset=offset))
    count = found["count"][0]["departures"] if found["count"] else 0
    return count, [row["_id"]["departure"] for row in found["page"]]


def departures(*, wanted: Wanted, limit: int, offset: int) -> Pipeline:
    """The departures that have bookings. Index `kind_service_date`, covered."""
    dates = {"$gte": wanted.first_date.isoformat(), "$lte": wanted.last_date.isoformat()}
    match: dict[str, Any] = {"kind": "booking.confirmed", "service_date": dates}
    if wanted.train:
        match["train"] = wanted.train
    each = {"date": "$service_date", "departure": "$departure"}
    return [
        {"$match": match},
        {"$group": {"_id": each}},
        {"$sort": {"_id.date": 1, "_id.departure": 1}},
        {
            "$facet": {
                "count": [{"$count": "departures"}],
                "page": [{"$skip": offset}, {"$limit": limit}],
            }
        },
    ]


def sold(page: Sequence[int]) -> Pipeline:
    """What of these departures is sold now. Index `departure_kind`."""
    takes = {"$in": ["$kind", ["booking.confirmed", "booking.changed"]]}
    legs = {"$subtract": ["$body.to_stop", "$body.from_stop"]}
    kinds = [
        "booking.confirmed",
        "booking.changed",
        "booking.seats-cancelled",
        "booking.seats-exchanged",
        "booking.cancelled",
    ]
    return [
        {"$match": {"departure": {"$in": list(page)}, "kind": {"$in": kinds}}},
        {
            "$project": {
                "departure": 1,
                "pnr": 1,
                "seat": "$body.seat_ids",
                "legs": {"$cond": [takes, legs, 0]},
                "number": {"$cond": [takes, 1, -1]},
            }
        },
        {"$unwind": "$seat"},
        {
            "$group": {
                "_id": {"departure": "$departure", "pnr": "$pnr", "seat": "$seat"},
                "legs": {"$max": "$legs"},
                "number": {"$sum": "$number"},
            }
        },
        {"$match": {"number": {"$gt": 0}}},
        {
            "$group": {
                "_id": {"departure": "$_id.departure", "seat": "$_id.seat"},
                "legs": {"$sum": "$legs"},
            }
        },
        {
            "$group": {
                "_id": "$_id.departure",
                "seats_sold": {"$sum": 1},
                "seat_legs_sold": {"$sum": "$legs"},
            }
        },
    ]


def _with_capacity(page: Sequence[int]) -> "QuerySet[Departure]":
    """The departures with `seats` and `legs` of their trains, by service date; one query."""
    coaches = Coach.objects.filter(train=OuterRef("train")).order_by().values("train")
    stops = Stop.objects.filter(train=OuterRef("train")).order_by().values("train")
    return (
        Departure.objects.filter(pk__in=page)
        .select_related("train")
        .annotate(
            seats=Subquery(coaches.annotate(total=Sum("capacity")).values("total")),
            legs=Subquery(stops.annotate(last=Max("sequence")).values("last")),
        )
        .order_by("service_date", "pk")
    )


def _occupancy(departure: Any, counts: dict[str, Any]) -> Occupancy:
    seats, legs = departure.seats or 0, departure.legs or 0
    seat_legs_sold = counts.get("seat_legs_sold", 0)
    return Occupancy(
        departure=departure.pk,
        train=departure.train.number,
        service_date=departure.service_date,
        seats=seats,
        legs=legs,
        seats_sold=counts.get("seats_sold", 0),
        seat_legs_sold=seat_legs_sold,
        share=round(seat_legs_sold / (seats * legs), 4) if seats * legs else None,
    )

"""What happened minute by minute: locks, ends of holds, bookings, money, errors."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncMinute

from analytics.reports.ask import Pipeline, ask
from analytics.schema import FACTS, REQUESTS
from config import clock
from reservations.models import Booking

_COUNTED: Final = {
    "hold.held": "locks",
    "hold.released": "releases",
    "hold.expired": "expiries",
    "booking.cancelled": "cancellations",
}


@dataclass(frozen=True, kw_only=True)
class Minute:
    """One minute from `at` on. `revenue`: fares of what was booked in it and not cancelled since,
    in `currency`; `errors`: answers with a status from 500.
    """

    at: datetime
    locks: int = 0
    releases: int = 0
    expiries: int = 0
    cancellations: int = 0
    confirms: int = 0
    revenue: Decimal = Decimal(0)
    errors: int = 0


def minutes(*, count: int, currency: str) -> list[Minute]:
    """The last `count` minutes, the present one last; every minute is there.

    Facts of holds and errors are a second or two late, bookings are not. Raises what `ask` raises.
    """
    last = clock.now().replace(second=0, microsecond=0)
    since = last - timedelta(minutes=count - 1)
    found: defaultdict[datetime, dict[str, int]] = defaultdict(dict)
    for row in ask(FACTS, facts(since=since)):
        found[row["_id"]["minute"]][_COUNTED[row["_id"]["kind"]]] = row["count"]
    for row in ask(REQUESTS, errors(since=since)):
        found[row["_id"]]["errors"] = row["count"]
    booked = _booked(since, currency)
    return [
        Minute(
            at=at,
            confirms=booked.get(at, (0, Decimal(0)))[0],
            revenue=booked.get(at, (0, Decimal(0)))[1],
            **found.get(at, {}),
        )
        for at in (since + timedelta(minutes=number) for number in range(count))
    ]


def _booked(since: datetime, currency: str) -> dict[datetime, tuple[int, Decimal]]:
    kept = Q(status=Booking.Status.CONFIRMED, currency=currency)
    rows = (
        Booking.objects.exclude(status=Booking.Status.VOID)
        .filter(created_at__gte=since)
        .annotate(minute=TruncMinute("created_at"))
        .values("minute")
        .annotate(count=Count("pk"), revenue=Sum("fare", filter=kept))
    )
    return {row["minute"]: (row["count"], row["revenue"] or Decimal(0)) for row in rows}


def facts(*, since: datetime) -> Pipeline:
    """Index `kind_time`, covered."""
    return [
        {"$match": {"kind": {"$in": list(_COUNTED)}, "at": {"$gte": since}}},
        {
            "$group": {
                "_id": {
                    "minute": {"$dateTrunc": {"date": "$at", "unit": "minute"}},
                    "kind": "$kind",
                },
                "count": {"$sum": 1},
            }
        },
    ]


def errors(*, since: datetime) -> Pipeline:
    """Index `time_latency`, covered."""
    return [
        {"$match": {"at": {"$gte": since}, "status": {"$gte": 500}}},
        {
            "$group": {
                "_id": {"$dateTrunc": {"date": "$at", "unit": "minute"}},
                "count": {"$sum": 1},
            }
        },
    ]

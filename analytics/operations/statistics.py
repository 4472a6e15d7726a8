"""Totals of what was booked: by day, train, class and status. From PostgreSQL, so never behind."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, TruncDate

from reservations.models import BookedSeat, Booking

MAX_TRAINS: Final = 100

_CONFIRMED: Final = Q(status=Booking.Status.CONFIRMED)
_CANCELLED: Final = Q(status=Booking.Status.CANCELLED)

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """Bookings made in [since, until). Each row has its key (`day`, `train`, …) and `bookings`,
    `cancelled` of them, `seats` of all, `revenue` of those not cancelled, in one `currency`.

    Days are those of `time_zone`. `by_train` has the busiest trains only.
    """

    since: datetime
    until: datetime
    time_zone: str
    totals: list[Row]
    by_day: list[Row]
    by_train: list[Row]
    by_class: list[Row]
    by_status: list[Row]


def statistics(*, since: datetime, until: datetime) -> Statistics:
    """Five queries, each over the bookings of the window alone."""
    zone = settings.ENV.time_zone
    made = _made(since, until)
    by_day = made.annotate(day=TruncDate("created_at", tzinfo=ZoneInfo(zone)))
    by_train = made.annotate(train=F("departure__train__number"))
    busiest = _totals(by_train, "train").order_by("-bookings", "train")[:MAX_TRAINS]
    return Statistics(
        since=since,
        until=until,
        time_zone=zone,
        totals=list(_totals(made).order_by("currency")),
        by_day=list(_totals(by_day, "day").order_by("day")),
        by_train=list(busiest),
        by_class=list(_by_class(made)),
        by_status=list(_totals(made, "status").order_by("status")),
    )


def _made(since: datetime, until: datetime) -> "QuerySet[Any]":
    seats = BookedSeat.objects.filter(booking=OuterRef("pk")).order_by().values("booking")
    return (
        Booking.objects.exclude(status=Booking.Status.VOID)
        .filter(created_at__gte=since, created_at__lt=until)
        .annotate(seat_count=Subquery(seats.annotate(total=Count("pk")).values("total")))
    )


def _totals(bookings: "QuerySet[Any]", *by: str) -> "QuerySet[Any, Any]":
    """Fares of different currencies are never added up: each has its own row."""
    totals: QuerySet[Any, Any] = bookings.values(*by, "currency").annotate(
        bookings=Count("pk"),
        cancelled=Count("pk", filter=_CANCELLED),
        seats=Coalesce(Sum("seat_count"), 0),
        revenue=Coalesce(Sum("fare", filter=_CONFIRMED), 0, output_field=Booking.fare.field),
    )
    return totals


def _by_class(made: "QuerySet[Any]") -> "QuerySet[Any, Any]":
    """A booking may have seats of several classes, so it has no revenue by class."""
    by_class: QuerySet[Any, Any] = (
        BookedSeat.objects.filter(booking__in=made.values("pk"))
        .values(travel_class=F("seat__coach__travel_class"))
        .annotate(
            bookings=Count("booking", distinct=True),
            seats=Count("pk"),
            cancelled_seats=Count("pk", filter=Q(cancellation__isnull=False)),
        )
        .order_by("travel_class")
    )
    return by_class

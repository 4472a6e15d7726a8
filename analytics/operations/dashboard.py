"""The numbers on the first screen. A store that is away leaves its numbers out, not the screen."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import TypeVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Sum

from analytics.operations.backlog import (
    SinkState,
    StreamBacklog,
    or_none,
    outbox_pending,
    sink_state,
    stream_backlog,
)
from analytics.operations.live_holds import HoldCount, count_live_holds
from config import clock
from config.stores.health import StoreHealth, check_stores
from reservations.models import Booking

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Money:
    """An exact amount of one currency."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, kw_only=True)
class BookingCount:
    """Today by the clock of TIME_ZONE. `revenue`: fares of what was booked and not cancelled."""

    today: int
    cancelled_today: int
    revenue_today: list[Money]


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """Each part is None while the store it comes from is away."""

    as_of: datetime
    time_zone: str
    holds: HoldCount | None
    bookings: BookingCount | None
    outbox_pending: int | None
    streams: StreamBacklog | None
    sink: SinkState | None
    stores: list[StoreHealth]


def dashboard() -> Dashboard:
    """Look at every store, those first that may not answer. Never raises for one that is away."""
    stores = check_stores()
    up = {store.store for store in stores if store.is_up}

    def from_store(store: str, ask: Callable[[], T]) -> T | None:
        return or_none(ask) if store in up else None

    return Dashboard(
        as_of=clock.now(),
        time_zone=settings.ENV.time_zone,
        holds=from_store("redis", count_live_holds),
        bookings=from_store("postgresql", count_bookings),
        outbox_pending=from_store("postgresql", outbox_pending),
        streams=from_store("redis", stream_backlog),
        sink=from_store("mongodb", sink_state),
        stores=stores,
    )


def count_bookings() -> BookingCount:
    """The bookings of today."""
    zone = ZoneInfo(settings.ENV.time_zone)
    today = clock.now().astimezone(zone).date()
    midnight = datetime.combine(today, time(), zone).astimezone(UTC)
    made = Booking.objects.exclude(status=Booking.Status.VOID).filter(created_at__gte=midnight)
    kept = made.filter(status=Booking.Status.CONFIRMED)
    revenue = kept.order_by("currency").values("currency").annotate(amount=Sum("fare"))
    return BookingCount(
        today=made.count(),
        cancelled_today=Booking.objects.filter(cancelled_at__gte=midnight).count(),
        revenue_today=[Money(amount=row["amount"], currency=row["currency"]) for row in revenue],
    )

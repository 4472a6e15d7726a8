"""Add one extra run of a train."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.conf import settings
from django.db import transaction

from config import clock
from config.errors import Invalid
from config.outbox.facts import append
from trains import facts, limits, sale
from trains.models import Departure, Train


@dataclass(frozen=True, kw_only=True)
class ExtraRun:
    """`sale_opens_at` None: when the date enters the window, as for any other departure."""

    train: str
    service_date: date
    status: Departure.Status = Departure.Status.OPEN
    fare_factor: Decimal = Decimal(1)
    sale_opens_at: datetime | None = None


def create_departure(*, run: ExtraRun, actor_id: int | None) -> Departure:
    """Make the departure and return it.

    Raises `Invalid` for an unknown train, a run that is over or too far ahead, and a date that
    has its departure already (which is to be changed instead).
    """
    with transaction.atomic():
        # Locked, so that its stops are not replaced under our hands.
        train = Train.objects.select_for_update(no_key=True).filter(number=run.train).first()
        if train is None:
            raise Invalid({"train": [f"There is no train {run.train}."]})
        last_stop = train.stops.order_by("-sequence").first()
        if last_stop is None:
            raise Invalid({"train": ["It has no stops."]})
        _check_date(run.service_date, train)
        starts_at = sale.service_day_starts_at(run.service_date, train.timezone)
        ends_at = sale.moment_at(starts_at, last_stop.arrival_seconds)
        if ends_at <= clock.now():
            raise Invalid({"service_date": ["This run would be over."]})
        departure, made = Departure.objects.get_or_create(
            train=train,
            service_date=run.service_date,
            defaults={
                "starts_at": starts_at,
                "ends_at": ends_at,
                "status": run.status,
                "sale_opens_at": run.sale_opens_at or _opens_at(run.service_date, train),
                "fare_factor": run.fare_factor,
            },
        )
        if not made:
            said = f"The train has a departure on this date: change departure {departure.pk}."
            raise Invalid({"service_date": [said]})
        append(
            facts.departure_decided(
                departure_id=departure.pk,
                revision=departure.revision,
                what="opened" if run.status == Departure.Status.OPEN else "closed",
                actor_id=actor_id,
            )
        )
    return departure


def _check_date(day: date, train: Train) -> None:
    """Bound the date before any moment is made of it: moments end with the year 9999."""
    ahead = (day - sale.local_date(clock.now(), train.timezone)).days
    if ahead < -limits.RUN_DAYS_MAX:
        raise Invalid({"service_date": ["This run would be over."]})
    if ahead > limits.DAYS_AHEAD_MAX:
        raise Invalid({"service_date": [f"At most {limits.DAYS_AHEAD_MAX} days ahead."]})


def _opens_at(day: date, train: Train) -> datetime:
    return sale.opens_at(
        day,
        train.timezone,
        window_days=settings.ENV.sale_window_days,
        hour=settings.ENV.sale_opens_at,
    )

"""Let a train run on other days of the week."""

from datetime import date

from config import clock
from trains import sale
from trains.errors import TrainBelongsToFeed
from trains.models import Departure, Train
from trains.services.open_departures import open_departures
from trains.services.set_status import set_status


def change_days(*, train: Train, weekdays: int, actor_id: int | None) -> bool:
    """Change the weekly pattern; whether it is another than before.

    Departures to come on days taken away are closed, whoever booked keeps the booking; those of
    days that come back are reopened, and missing ones made. The caller has locked the train and
    says that it changed. Raises `TrainBelongsToFeed`.
    """
    before = 0
    for calendar in train.calendars.all():
        before |= calendar.weekdays
    if weekdays == before:
        return False
    if train.feed is not None:
        raise TrainBelongsToFeed(train.number, train.feed.code)

    # From here the days must change. A train of no feed has one calendar, its own.
    train.calendars.update(weekdays=weekdays)
    today = sale.local_date(clock.now(), train.timezone)
    _set(train, today, days=before & ~weekdays, status=Departure.Status.CLOSED, actor_id=actor_id)
    _set(train, today, days=weekdays & ~before, status=Departure.Status.OPEN, actor_id=actor_id)
    open_departures(train_ids=[train.pk])
    return True


def _set(
    train: Train, today: date, *, days: int, status: Departure.Status, actor_id: int | None
) -> None:
    """Open or close the departures to come on these weekdays (bits)."""
    iso_days = [bit + 1 for bit in range(7) if days >> bit & 1]
    affected = Departure.objects.filter(
        train=train, service_date__gte=today, service_date__iso_week_day__in=iso_days
    )
    set_status(
        departure_ids=list(affected.values_list("pk", flat=True)),
        status=status,
        actor_id=actor_id,
    )

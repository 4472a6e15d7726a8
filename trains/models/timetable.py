"""Trains, where and when they stop, the days they run, and the departures on sale.

Times of a stop are seconds after the start of the service day (GTFS: noon minus 12 hours in the
train's zone), so 25:30 is 91,800 and a third day needs no special case.
"""

from django.db import models

from trains.models.network import Feed, Station


class ServiceCalendar(models.Model):
    """A weekly pattern between two dates, as in GTFS `calendar.txt`.

    `weekdays` has a bit per weekday, bit 0 Monday; `end_date` NULL is open-ended. A train runs on
    a date if any of its calendars is active on it (`ServiceException` adds or takes single days).
    """

    feed = models.ForeignKey(Feed, null=True, on_delete=models.CASCADE, related_name="calendars")
    service_id = models.CharField(max_length=200)
    weekdays = models.SmallIntegerField(default=0)
    start_date = models.DateField()
    end_date = models.DateField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["feed", "service_id"], name="calendar_feed_service"),
        )

    def __str__(self) -> str:
        return self.service_id


class ServiceException(models.Model):
    """One date on which a calendar runs although its weeks say no, or the other way round."""

    calendar = models.ForeignKey(
        ServiceCalendar, on_delete=models.CASCADE, related_name="exceptions"
    )
    date = models.DateField()
    runs = models.BooleanField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["calendar", "date"], name="exception_calendar_date"),
        )

    def __str__(self) -> str:
        return f"{self.calendar_id} {self.date} {'+' if self.runs else '-'}"


class Train(models.Model):
    """A numbered service with ordered stops.

    `revision` grows with every change that a traveller could see (stops, coaches, seats); the
    engine keeps a train's plan in memory and throws it away when the revision has moved.
    `feed_number` is what its feed calls it: several trains of one feed share it when they differ
    in stops or times, and only the first of them can have it as its `number`.
    `superfast` trains cost their class's superfast charge.
    """

    class Mode(models.TextChoices):
        RAIL = "rail"
        BUS = "bus"

    number = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    mode = models.CharField(max_length=8, choices=Mode.choices, default=Mode.RAIL)
    timezone = models.CharField(max_length=64)
    feed = models.ForeignKey(Feed, null=True, on_delete=models.PROTECT, related_name="trains")
    feed_number = models.CharField(max_length=200, blank=True, db_default="")
    calendars = models.ManyToManyField(ServiceCalendar, related_name="trains")
    superfast = models.BooleanField(default=False, db_default=False)
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ("number",)

    def __str__(self) -> str:
        return f"{self.number} {self.name}"


class Stop(models.Model):
    """The `sequence`-th stop of a train, counted from 0 without gaps; leg k runs from stop k.

    Arrival and departure are seconds after the start of the service day, never NULL once
    imported (times between are interpolated). `distance_km` is measured from the first stop.
    """

    train = models.ForeignKey(Train, on_delete=models.CASCADE, related_name="stops", db_index=False)
    sequence = models.SmallIntegerField()
    station = models.ForeignKey(
        Station, on_delete=models.PROTECT, related_name="stops", db_index=False
    )
    arrival_seconds = models.IntegerField()
    departure_seconds = models.IntegerField()
    distance_km = models.DecimalField(max_digits=8, decimal_places=1)
    pickup = models.BooleanField(default=True)
    drop_off = models.BooleanField(default=True)

    class Meta:
        ordering = ("train_id", "sequence")
        constraints = (
            models.UniqueConstraint(fields=["train", "sequence"], name="stop_train_sequence"),
        )
        indexes = (models.Index(fields=["station", "train"], name="stop_station_train"),)

    def __str__(self) -> str:
        return f"{self.train_id}/{self.sequence}"


class Departure(models.Model):
    """One train on one service date.

    `starts_at` is the moment the service day begins for its times (noon minus 12 hours, in UTC):
    the train leaves stop k at `starts_at + departure_seconds`. `ends_at` is its last arrival.
    `revision` grows when staff close, reopen or re-price it. `withdrawn_at`: it does not run, and
    stays closed for good.
    """

    class Status(models.TextChoices):
        OPEN = "open"
        CLOSED = "closed"

    id: int
    train = models.ForeignKey(
        Train, on_delete=models.PROTECT, related_name="departures", db_index=False
    )
    service_date = models.DateField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(db_index=True)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OPEN)
    sale_opens_at = models.DateTimeField()
    fare_factor = models.DecimalField(max_digits=6, decimal_places=3, default=1)
    revision = models.PositiveIntegerField(default=1)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["train", "service_date"], name="departure_train_date"),
        )
        indexes = (models.Index(fields=["service_date"], name="departure_date"),)

    def __str__(self) -> str:
        return f"{self.train_id} {self.service_date}"

"""What is sold, for good: bookings and their seats, and the seats staff keep out of sale."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import IntegerRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Now

from trains.models import Departure, Seat
from users.models import User


class Booking(models.Model):
    """A hold that was confirmed, or the tombstone of one that never can be.

    `hold` is unique: a confirm repeated finds the booking it made, and a sweep that writes a
    `void` row has made sure that no confirm of that hold can commit any more. A void row has no
    owner, PNR or seats and is shown to nobody. `from_stop`, `to_stop` are stop sequences: the
    stretch is the half-open leg range [from_stop, to_stop). `fare` is for all its seats.
    """

    class Status(models.TextChoices):
        CONFIRMED = "confirmed"
        CANCELLED = "cancelled"
        VOID = "void"

    hold = models.CharField(max_length=64, unique=True)
    pnr = models.CharField(max_length=10, unique=True, null=True)
    owner = models.ForeignKey(
        User, null=True, on_delete=models.PROTECT, related_name="bookings", db_index=False
    )
    departure = models.ForeignKey(Departure, on_delete=models.PROTECT, related_name="bookings")
    status = models.CharField(max_length=10, choices=Status.choices)
    from_stop = models.SmallIntegerField(default=0)
    to_stop = models.SmallIntegerField(default=0)
    fare = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    currency = models.CharField(max_length=3, blank=True)
    fence = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())
    cancelled_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=["owner", "-id"], name="booking_owner_latest"),
            models.Index(fields=["created_at"], name="booking_created"),
            models.Index(fields=["created_at"], name="booking_void", condition=Q(status="void")),
        )

    def __str__(self) -> str:
        return self.pnr or f"void {self.hold}"


class BookedSeat(models.Model):
    """One seat of a booking over its legs; the guarantor of promise P1.

    No two live rows may hold the same seat of the same departure over legs that overlap: the
    exclusion constraint says so, whatever any program does. `fare` is what its passenger pays,
    `fare_parts` the same by parts, as decimal strings (`SeatFare.as_text`). `passenger` is
    personal data and may be erased.
    """

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="booked_seats")
    departure = models.ForeignKey(Departure, on_delete=models.PROTECT, db_index=False)
    seat = models.ForeignKey(Seat, on_delete=models.PROTECT, db_index=False)
    legs = IntegerRangeField()
    live = models.BooleanField(default=True)
    passenger = models.JSONField(null=True)
    fare = models.DecimalField(max_digits=12, decimal_places=2, default=0, db_default=0)
    fare_parts = models.JSONField(default=dict, db_default=Value({}, models.JSONField()))

    class Meta:
        constraints = (
            ExclusionConstraint(
                name="seat_sold_once_per_leg",
                expressions=[
                    (F("departure"), RangeOperators.EQUAL),
                    (F("seat"), RangeOperators.EQUAL),
                    (F("legs"), RangeOperators.OVERLAPS),
                ],
                condition=Q(live=True),
            ),
        )

    def __str__(self) -> str:
        return f"{self.booking_id}:{self.seat_id}"


class SeatBlock(models.Model):
    """A seat kept out of sale on one departure, over all its legs (maintenance, quota)."""

    departure = models.ForeignKey(Departure, on_delete=models.CASCADE, related_name="seat_blocks")
    seat = models.ForeignKey(Seat, on_delete=models.CASCADE, db_index=False)
    reason = models.CharField(max_length=200)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, db_index=False)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["departure", "seat"], name="block_departure_seat"),
        )

    def __str__(self) -> str:
        return f"{self.departure_id}:{self.seat_id}"

"""What is sold, for good: bookings and their seats, what was given back of them and by which
rules, and the seats staff keep out of sale.
"""

from decimal import Decimal

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import (
    ArrayField,
    IntegerRangeField,
    RangeOperators,
)
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Now

from config.mail import WaitingMail
from trains.models import Departure, Seat
from trains.models.dated import one_at_a_time
from users.models import User


class Booking(models.Model):
    """A hold that was confirmed, or the tombstone of one that never can be.

    `hold` is unique: a confirm repeated finds the booking it made, and a sweep that writes a
    `void` row has made sure that no confirm of that hold can commit any more. A void row has no
    owner, PNR or seats and is shown to nobody. `from_stop`, `to_stop` are stop sequences: the
    stretch is the half-open leg range [from_stop, to_stop). `fare` is for the seats it has; once
    cancelled, for those it had last. `revision` grows whenever its seats change: tickets carry it.
    `became`, of a void row: the booking whose change took this hold's seats. A change may move a
    booking to another departure; `hold` stays the first one.
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
    revision = models.PositiveSmallIntegerField(default=1, db_default=1)
    became = models.ForeignKey(
        "self", null=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )

    class Meta:
        indexes = (
            models.Index(fields=["owner", "-id"], name="booking_owner_latest"),
            models.Index(fields=["created_at"], name="booking_created"),
            models.Index(fields=["created_at"], name="booking_void", condition=Q(status="void")),
        )

    def __str__(self) -> str:
        return self.pnr or f"void {self.hold}"


class Cancellation(models.Model):
    """Seats of a booking that were given back: its whole end, or part of it.

    Of the `fare` of these seats `refund` goes back, in the booking's currency; `rule` names why it
    is that much. `reason` is what staff gave who overrode the rules. Rows are written once.
    """

    class By(models.TextChoices):
        OWNER = "owner"
        AGENT = "agent"
        STAFF = "staff"

    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, related_name="cancellations")
    at = models.DateTimeField()
    by = models.CharField(max_length=10, choices=By.choices)
    actor = models.ForeignKey(User, null=True, on_delete=models.PROTECT, db_index=False)
    rule = models.CharField(max_length=40)
    fare = models.DecimalField(max_digits=12, decimal_places=2)
    refund = models.DecimalField(max_digits=12, decimal_places=2)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="cancellation_gives_back_what_was_paid",
                condition=Q(refund__gte=0, refund__lte=F("fare")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.booking_id}: {self.refund} of {self.fare}"


class BookedSeat(models.Model):
    """One seat of a booking over its legs; the guarantor of promise P1.

    No two live rows may hold the same seat of the same departure over legs that overlap: the
    exclusion constraint says so, whatever any program does. `fare` is what its passenger pays,
    `fare_parts` the same by parts, as decimal strings (`SeatFare.as_text`). `passenger` is
    personal data and may be erased. `cancellation`: by which it was given back.
    """

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="booked_seats")
    departure = models.ForeignKey(Departure, on_delete=models.PROTECT, db_index=False)
    seat = models.ForeignKey(Seat, on_delete=models.PROTECT, db_index=False)
    legs = IntegerRangeField()
    live = models.BooleanField(default=True)
    passenger = models.JSONField(null=True)
    fare = models.DecimalField(max_digits=12, decimal_places=2, default=0, db_default=0)
    fare_parts = models.JSONField(default=dict, db_default=Value({}, models.JSONField()))
    cancellation = models.ForeignKey(
        Cancellation, null=True, on_delete=models.PROTECT, related_name="seats", db_index=False
    )

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


class Withdrawal(models.Model):
    """A departure that staff cancelled as a whole: all its bookings are, batch by batch.

    How far that is, is counted from the bookings: nothing here could be wrong after a crash.
    """

    departure = models.OneToOneField(Departure, on_delete=models.PROTECT, related_name="withdrawal")
    reason = models.CharField(max_length=200)
    actor = models.ForeignKey(User, on_delete=models.PROTECT, db_index=False)
    began_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.departure_id}: {self.reason}"


class BookingMail(WaitingMail):
    """Mail about what became of a booking: seats given back, no train, other seats.

    `cancellation`: of which it tells; None for other seats.
    """

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="+")
    cancellation = models.ForeignKey(
        Cancellation, null=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )

    class Meta:
        indexes = (
            models.Index(
                fields=["next_at"],
                name="booking_mail_waiting",
                condition=Q(sent_at=None, given_up_at=None),
            ),
        )


class Reseating(models.Model):
    """Another vehicle runs on a sold departure: the seats it lacks, and where their passengers go.

    While it is proposed, `blocked` seats (ids) are kept out of sale by it: those that are lost and
    not sold, and those passengers are to move to. `moves`: for each seat that was sold and is lost
    `{"booking", "pnr", "old", "new"}` (seat ids; `new` None: there is no seat).
    """

    class State(models.TextChoices):
        PROPOSED = "proposed"
        DONE = "done"
        DROPPED = "dropped"

    departure = models.ForeignKey(Departure, on_delete=models.PROTECT, related_name="reseatings")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    reason = models.CharField(max_length=200)
    actor = models.ForeignKey(User, on_delete=models.PROTECT, db_index=False)
    lost = ArrayField(models.BigIntegerField())
    blocked = ArrayField(models.BigIntegerField())
    moves = models.JSONField()
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["departure"],
                name="reseating_one_open_a_departure",
                condition=Q(state="proposed"),
            ),
        )

    def __str__(self) -> str:
        return f"{self.departure_id}: {self.state}"


class CancellationTable(models.Model):
    """What cancelling costs on all service dates from `valid_from` to `valid_to` (None: without
    end). No two tables are valid on one date.
    """

    name = models.CharField(max_length=100, unique=True)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    revision = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        ordering = ("valid_from",)
        constraints = one_at_a_time(
            begins="cancellation_table_ends_after_it_begins",
            overlaps="cancellation_tables_do_not_overlap",
            refusal="Another table is valid on some of these dates.",
        )

    def __str__(self) -> str:
        return self.name


class CancellationRule(models.Model):
    """What is given back while at least `from_hours` are left until the traveller's departure.

    Of the rules that fit, the one with the most hours counts. A percentage keeps
    `kept_percent` of each seat's fare, at least `kept_minimum` (in CURRENCY), at most the fare.
    `code` is told to travellers.
    """

    class Gives(models.TextChoices):
        FULL = "full"
        PERCENTAGE = "percentage"
        NONE = "none"

    table = models.ForeignKey(CancellationTable, on_delete=models.CASCADE, related_name="rules")
    code = models.SlugField(max_length=20)
    from_hours = models.PositiveSmallIntegerField()
    gives = models.CharField(max_length=10, choices=Gives.choices)
    kept_percent = models.DecimalField(
        max_digits=5,
        decimal_places=2,
        default=Decimal(0),
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100))],
    )
    kept_minimum = models.DecimalField(
        max_digits=9,
        decimal_places=2,
        default=Decimal(0),
        validators=[MinValueValidator(Decimal(0))],
    )

    class Meta:
        ordering = ("-from_hours",)
        constraints = (
            models.UniqueConstraint(fields=["table", "from_hours"], name="cancellation_rule_hours"),
            models.UniqueConstraint(fields=["table", "code"], name="cancellation_rule_code"),
            models.CheckConstraint(
                name="cancellation_rule_keeps_by_percentage",
                condition=Q(gives="percentage") | Q(kept_percent=0, kept_minimum=0),
                violation_error_message="Only a percentage keeps a part of the fare.",
            ),
            models.CheckConstraint(
                name="cancellation_rule_within_bounds",
                condition=Q(kept_percent__gte=0, kept_percent__lte=100, kept_minimum__gte=0),
            ),
        )

    def __str__(self) -> str:
        return f"{self.code}: from {self.from_hours} h"

"""Money: payments, what gateways said, refunds, and differences staff must look at."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from reservations.models import Booking, Cancellation
from reservations.payments.states import Outcome, PaymentState, Purpose, RefundState
from trains.models import Departure
from users.models import User


def _choices(states: type[PaymentState | RefundState | Purpose]) -> list[tuple[str, str]]:
    return [(state.value, state.value) for state in states]


class Payment(models.Model):
    """Money for one hold; or, as `purpose` says, for a place on the waitlist or a change.

    Of a change: `changes` is the booking, `gives_up` are the rows of its old seats, beside those of
    the hold in the order of that hold's seats.

    `hold` is empty where there is none yet. `amount` is what the engine asks, the hold's fare or
    the difference, never what a client said. `booking`: what the money is in; only a change adds
    a payment to a booking that has one. `reference` is the gateway's name for
    it, empty until the gateway answered. `capability` lets the booking be made also when Redis
    forgot the hold. `expires_at`: the payment window's end, and the hold's. `next_step` is what the
    client needs to pay (a page's address, a client secret). `acting`: the agent who began it for
    its owner, for the facts of the booking it becomes. `captured_amount` is what the gateway
    says it took: that much goes back, whatever we asked for.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    purpose = models.CharField(max_length=10, choices=_choices(Purpose), default=Purpose.HOLD)
    hold = models.CharField(max_length=64, blank=True)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="payments")
    departure = models.ForeignKey(Departure, on_delete=models.PROTECT, db_index=False)
    provider = models.CharField(max_length=20)
    method = models.CharField(max_length=40, blank=True)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3)
    capability = models.TextField()
    allow_other_seats = models.BooleanField(default=False)
    passengers = models.JSONField(default=list)
    acting = models.JSONField(default=dict)
    state = models.CharField(
        max_length=10, choices=_choices(PaymentState), default=PaymentState.CREATED
    )
    outcome = models.CharField(max_length=10, blank=True, default=Outcome.NONE)
    booking = models.ForeignKey(
        Booking, null=True, on_delete=models.PROTECT, related_name="payments"
    )
    changes = models.ForeignKey(
        Booking, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    gives_up = ArrayField(models.BigIntegerField(), default=list)
    reference = models.CharField(max_length=100, blank=True)
    next_step = models.JSONField(default=dict)
    reason = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    captured_at = models.DateTimeField(null=True)
    captured_amount = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    captured_currency = models.CharField(max_length=3, blank=True)
    asked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["hold"],
                name="payment_one_open_a_hold",
                condition=Q(state="created") & ~Q(hold=""),
            ),
            models.UniqueConstraint(
                fields=["booking"],
                name="payment_one_a_booking",
                condition=~Q(purpose="change"),
            ),
            models.UniqueConstraint(
                fields=["provider", "reference"],
                name="payment_reference",
                condition=~Q(reference=""),
            ),
            models.CheckConstraint(name="payment_amount_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="payment_booked_has_booking",
                condition=Q(outcome="booked", booking__isnull=False)
                | (~Q(outcome="booked") & Q(booking__isnull=True)),
            ),
        )
        indexes = (
            models.Index(
                fields=["created_at"],
                name="payment_open",
                condition=Q(state__in=["created", "failed"]),
            ),
            models.Index(
                fields=["captured_at"],
                name="payment_undecided",
                condition=Q(state="captured", outcome=""),
            ),
            models.Index(fields=["hold"], name="payment_hold"),
            models.Index(fields=["provider", "captured_at"], name="payment_day"),
        )

    def __str__(self) -> str:
        return f"{self.id} {self.state}"


class Refund(models.Model):
    """Money on its way back. `id` is also the idempotency key the gateway gets. `cancellation`: of
    the seats it goes back for, if it is for seats that were booked.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    reason = models.CharField(max_length=60)
    cancellation = models.ForeignKey(
        Cancellation, null=True, on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(max_length=10, choices=_choices(RefundState), default=RefundState.DUE)
    reference = models.CharField(max_length=100, blank=True)
    attempts = models.IntegerField(default=0)
    next_try_at = models.DateTimeField(db_default=Now())
    trouble = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(name="refund_amount_positive", condition=Q(amount__gt=0)),
        )
        indexes = (
            models.Index(
                fields=["next_try_at"],
                name="refund_open",
                condition=Q(state__in=["due", "pending"]),
            ),
        )

    def __str__(self) -> str:
        return f"{self.id} {self.state}"


class GatewayMessage(models.Model):
    """A webhook that was taken in; the same event again changes nothing.

    What is kept is what it said of the payment, not its body: bodies may name people and cards.
    """

    provider = models.CharField(max_length=20)
    event_id = models.CharField(max_length=100)
    kind = models.CharField(max_length=20)
    payment = models.ForeignKey(Payment, null=True, on_delete=models.PROTECT)
    reference = models.CharField(max_length=100, blank=True)
    amount = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    currency = models.CharField(max_length=3, blank=True)
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["provider", "event_id"], name="message_once"),
        )

    def __str__(self) -> str:
        return f"{self.provider}:{self.event_id}"


class Difference(models.Model):
    """Something a gateway and we see differently. Staff settle it with a note."""

    provider = models.CharField(max_length=20)
    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=120, unique=True)
    payment = models.ForeignKey(Payment, null=True, on_delete=models.PROTECT)
    ours = models.JSONField()
    theirs = models.JSONField()
    found_at = models.DateTimeField(db_default=Now())
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, db_index=False)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = (
            models.Index(
                fields=["-found_at"], name="difference_open", condition=Q(settled_at=None)
            ),
        )

    def __str__(self) -> str:
        return self.key


class SandboxOrder(models.Model):
    """The sandbox gateway's own books: what a real gateway would keep on its side."""

    id = models.CharField(max_length=40, primary_key=True)
    payment = models.CharField(max_length=40, unique=True)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3)
    return_url = models.CharField(max_length=300, blank=True)
    behaviour = models.CharField(max_length=20)
    state = models.CharField(max_length=10, default="created")
    paid_at = models.DateTimeField(null=True)
    tries = models.IntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.id


class SandboxRefund(models.Model):
    """A refund in the sandbox's books; `key` makes a repeat find the first."""

    id = models.CharField(max_length=40, primary_key=True)
    order = models.ForeignKey(SandboxOrder, on_delete=models.CASCADE, related_name="refunds")
    key = models.CharField(max_length=40, unique=True)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.id

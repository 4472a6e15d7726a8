"""Whom to tell, what is to be told, and each try to tell it. No personal data lies here."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from users.models import User


def new_message_name() -> str:
    return f"msg_{uuid.uuid4().hex}"


class Endpoint(models.Model):
    """An address of a partner's that staff registered.

    It is told of the bookings of `account`, its own and those it made for customers; without an
    account of all (a system of the house). `secret` signs what is sent and opens nothing here;
    `old_secret` signs as well until `old_secret_until`, so that a partner can change over.

    `failing_since`: nothing got through since then; `paused_until`: it is left alone a while.
    `disabled_why`: by-staff, gone (it answered 410), failing (for WEBHOOK_DISABLE_AFTER_HOURS).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    url = models.CharField(max_length=500)
    description = models.CharField(max_length=200, blank=True)
    events = ArrayField(models.CharField(max_length=40))
    secret = models.CharField(max_length=100)
    old_secret = models.CharField(max_length=100, blank=True)
    old_secret_until = models.DateTimeField(null=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    created_at = models.DateTimeField(db_default=Now())
    failing_since = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    paused_until = models.DateTimeField(null=True)
    disabled_at = models.DateTimeField(null=True)
    disabled_why = models.CharField(max_length=20, blank=True)

    def __str__(self) -> str:
        return str(self.pk)


class Message(models.Model):
    """One event for one endpoint. `name` is its `webhook-id`: the same at each try, and after each
    crash, because the row is there before the first. `payload` is sent byte for byte.

    `next_at`: not before then; while a try is under way, when it counts as lost.
    """

    name = models.CharField(max_length=40, unique=True, default=new_message_name)
    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, db_index=False)
    event_id = models.CharField(max_length=200)
    type = models.CharField(max_length=40)
    payload = models.TextField()
    created_at = models.DateTimeField()
    next_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    delivered_at = models.DateTimeField(null=True)
    given_up_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["endpoint", "event_id"], name="webhook_event_once"),
        )
        indexes = (
            models.Index(
                fields=["next_at"],
                name="webhook_waiting",
                condition=Q(delivered_at=None, given_up_at=None),
            ),
            models.Index(fields=["endpoint", "-id"], name="webhook_endpoint_latest"),
            models.Index(fields=["created_at"], name="webhook_created"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def state(self) -> str:
        if self.delivered_at is not None:
            return "delivered"
        return "waiting" if self.given_up_at is None else "given-up"


class Attempt(models.Model):
    """One try to deliver a message: what the receiver answered, or why there was no answer."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="log")
    at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()
    status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"{self.message_id} at {self.at}"


class BookedBy(models.Model):
    """The machine's account that made a booking for a customer: told of what becomes of it,
    whoever does that. `customer` is the guest it was made for, also after an account claimed it.
    """

    hold = models.CharField(max_length=64, unique=True)
    pnr = models.CharField(max_length=10)
    account = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    customer = models.BigIntegerField()

    def __str__(self) -> str:
        return self.pnr

"""Who waits, and the mail about it. No name or address lies in mail rows or facts."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from config.mail import WaitingMail
from reservations.models import Booking
from reservations.waitlist.states import IN_QUEUE, EntryState
from trains.models import Departure
from users.models import User

_QUEUED = Q(state__in=[state.value for state in IN_QUEUE])


class Entry(models.Model):
    """A party that waits for `count` seats of a class on a stretch of one departure.

    `id` is the place in the queue, `key` the name its owner knows. `from_stop`, `to_stop`: as in a
    booking. `passengers` is personal data; it is erased when the entry ends. `request`: the hold id
    of the keyed lock that joined instead, so that a repeat finds the entry.

    `acting`: the agent who joined for its owner, for the facts of the entry and of its booking.

    `hold` is the id of the latest offer's hold, number `offers`. It is written down before Redis
    is asked for the hold (`offer_begun_at`), so that whoever comes after a crash finds it by name.
    `seat_ids`, `capability` and `offer_expires_at` are of an offer that was made.
    """

    key = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    departure = models.ForeignKey(
        Departure, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    from_stop = models.SmallIntegerField()
    to_stop = models.SmallIntegerField()
    travel_class = models.CharField(max_length=8)
    count = models.SmallIntegerField()
    passengers = models.JSONField(default=list)
    state = models.CharField(
        max_length=10,
        choices=[(state.value, state.value) for state in EntryState],
        default=EntryState.WAITING,
    )
    request = models.CharField(max_length=64, unique=True, null=True)
    acting = models.JSONField(default=dict)
    joined_at = models.DateTimeField(db_default=Now())
    closes_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    moves = models.IntegerField(default=0)
    offers = models.IntegerField(default=0)
    hold = models.CharField(max_length=64, unique=True, null=True)
    offer_begun_at = models.DateTimeField(null=True)
    offer_expires_at = models.DateTimeField(null=True)
    seat_ids = ArrayField(models.BigIntegerField(), default=list)
    capability = models.TextField(blank=True)
    booking = models.OneToOneField(Booking, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="waitlist_has_a_stretch", condition=Q(from_stop__lt=F("to_stop"), count__gte=1)
            ),
            models.CheckConstraint(
                name="waitlist_confirmed_has_booking",
                condition=Q(state="confirmed", booking__isnull=False)
                | (~Q(state="confirmed") & Q(booking__isnull=True)),
            ),
        )
        indexes = (
            models.Index(fields=["departure", "id"], name="waitlist_queue", condition=_QUEUED),
            models.Index(fields=["owner", "-id"], name="waitlist_owner_latest"),
            models.Index(
                fields=["closes_at"], name="waitlist_closing", condition=Q(state="waiting")
            ),
        )

    def __str__(self) -> str:
        return f"{self.key} {self.state}"


class EntryMail(WaitingMail):
    """A mail that tells an entry's owner of one move."""

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="+")

    class Meta:
        indexes = (
            models.Index(
                fields=["next_at"],
                name="waitlist_mail_waiting",
                condition=Q(sent_at=None, given_up_at=None),
            ),
        )

"""The table in which a fact waits, written in the transaction of the fact itself."""

from django.db import models
from django.db.models.functions import Now


class OutboxEvent(models.Model):
    """One fact: it happened if and only if its transaction committed.

    Two readers, each with its own mark, because one must not wait for the other: the shipper
    (MongoDB, `shipped_at`) and the subscribers inside Seatlock (`consumed_at`: the seat image is
    refreshed for every booking fact). Both read "not yet", never "id greater than": identifiers
    are given out before COMMIT, so a later id may become visible first.
    """

    event_id = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=60)
    subject = models.CharField(max_length=200)
    stage = models.SmallIntegerField()
    number = models.IntegerField(default=0)
    body = models.JSONField()
    occurred_at = models.DateTimeField(db_default=Now())
    shipped_at = models.DateTimeField(null=True)
    consumed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(
                fields=["id"], name="outbox_unshipped", condition=models.Q(shipped_at=None)
            ),
            models.Index(
                fields=["id"], name="outbox_unconsumed", condition=models.Q(consumed_at=None)
            ),
        )

    def __str__(self) -> str:
        return self.event_id

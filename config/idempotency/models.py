"""The first answer to a request that carried an `Idempotency-Key`."""

from django.db import models
from django.db.models.functions import Now


class IdempotencyKey(models.Model):
    """Written in the transaction of the effect it answers for; a key belongs to one user.

    `fingerprint` is a hash of method, path and body: the same key with another is refused. `body`
    is the JSON document as it was sent, so that it can be sent again byte for byte.
    """

    user_id = models.BigIntegerField()
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.SmallIntegerField()
    body = models.TextField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["user_id", "key"], name="idempotency_user_key"),
        )
        indexes = (models.Index(fields=["created_at"], name="idempotency_created"),)

    def __str__(self) -> str:
        return f"{self.user_id}:{self.key}"

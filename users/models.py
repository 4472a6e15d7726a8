"""Accounts and their logins."""

import uuid
from typing import Any

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models.functions import Lower

_STANDING = frozenset({"password", "is_staff", "is_active"})


class User(AbstractUser):
    """A traveller (`user`) or a member of staff (`admin`, `is_staff`).

    The e-mail is unique whatever its case, and serves as a second login name.

    `spared_sid` is not kept: it names the one login that a change of password leaves alive.
    """

    id: int
    email = models.EmailField(max_length=254)
    phone_number = models.CharField(max_length=20, blank=True)

    spared_sid: str | None = None

    class Meta(AbstractUser.Meta):
        constraints = (
            models.UniqueConstraint(Lower("email"), name="user_email_case_insensitive"),
            models.UniqueConstraint(Lower("username"), name="user_username_case_insensitive"),
        )

    @property
    def role(self) -> str:
        return "admin" if self.is_staff else "user"

    def clean(self) -> None:
        """A name that looks like an e-mail must be one's own, or it would answer to a login by
        somebody else's e-mail.
        """
        super().clean()
        if "@" in (self.username or "") and self.username.lower() != self.email.lower():
            raise ValidationError(
                {"username": "A username with @ in it must be your own e-mail address."}
            )

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Whoever saves it: lost rights and a new password end the logins that had them.

        Tokens are checked without this row, so what they say must never be more than is true.
        """
        fields = kwargs.get("update_fields")
        touches = fields is None or not _STANDING.isdisjoint(fields)
        if self._state.adding or not touches:
            super().save(*args, **kwargs)
            return
        # Imported here because the services are made of this model.
        from users.services.end_logins import follow_standing

        # Django clears `_password` when it merely stores the same password with a newer hash.
        has_new_password = getattr(self, "_password", None) is not None
        with transaction.atomic():
            before = User.objects.select_for_update().get(pk=self.pk)
            super().save(*args, **kwargs)
            follow_standing(before=before, after=self, has_new_password=has_new_password)


class SavedTraveller(models.Model):
    """Somebody an account books for: personal data, seen by the account alone, deleted for good.

    The birth date is kept instead of an age, which would be wrong a year later.
    """

    class Berth(models.TextChoices):
        LOWER = "lower"
        MIDDLE = "middle"
        UPPER = "upper"
        SIDE_LOWER = "side-lower"
        SIDE_MIDDLE = "side-middle"
        SIDE_UPPER = "side-upper"
        WINDOW = "window"
        AISLE = "aisle"

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="travellers")
    name = models.CharField(max_length=100)
    birth_date = models.DateField(null=True)
    gender = models.CharField(max_length=20, blank=True)
    berth_preference = models.CharField(max_length=12, blank=True, choices=Berth.choices)

    def __str__(self) -> str:
        return f"traveller {self.pk} of {self.owner_id}"


class Login(models.Model):
    """One login: every token it produced carries its `sid` and dies with it.

    `refresh_jti` is the one refresh token that is still good (rotation kills the one before).
    """

    sid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="logins")
    refresh_jti = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(
                fields=["ended_at"],
                name="login_ended",
                condition=models.Q(ended_at__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return str(self.sid)

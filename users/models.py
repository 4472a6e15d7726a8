"""Accounts and their logins."""

import uuid
from typing import Any

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models.functions import Lower

_STANDING = frozenset({"password", "is_staff", "is_active"})


class User(AbstractUser):
    """A traveller (`user`) or a member of staff (`admin`, `is_staff`).

    The e-mail is unique whatever its case, and serves as a second login name. A guest
    (`is_guest`) has no password and proved nothing: several may have one e-mail, also that of an
    account, and none logs in by it.

    `spared_sid` is not kept: it names the one login that a change of password leaves alive.
    """

    id: int
    email = models.EmailField(max_length=254)
    phone_number = models.CharField(max_length=20, blank=True)
    is_guest = models.BooleanField(default=False, db_default=False)

    spared_sid: str | None = None

    class Meta(AbstractUser.Meta):
        constraints = (
            models.UniqueConstraint(
                Lower("email"),
                name="user_email_case_insensitive",
                condition=models.Q(is_guest=False),
            ),
            models.UniqueConstraint(Lower("username"), name="user_username_case_insensitive"),
        )
        indexes = (
            models.Index(
                Lower("email"), name="user_guest_email", condition=models.Q(is_guest=True)
            ),
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


class ApiKey(models.Model):
    """A machine's way in: the key itself is kept nowhere, only its SHA-256.

    It is a login that no token carries: `login` says whose, until when, and whether it was ended,
    so that everything that ends logins ends keys. `prefix` begins the key and is shown.
    `last_used_at` is exact to a minute.
    """

    # PostgreSQL protects the login, so that old logins are deleted without looking for keys.
    login = models.OneToOneField(
        Login, primary_key=True, on_delete=models.DO_NOTHING, related_name="api_key"
    )
    prefix = models.CharField(max_length=16, unique=True)
    digest = models.CharField(max_length=64)
    name = models.CharField(max_length=100)
    scopes = ArrayField(models.CharField(max_length=16))
    calls_per_minute = models.PositiveIntegerField()
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    last_used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.prefix


class GuestClaim(models.Model):
    """An account says that an e-mail is its own too; the code mailed there proves it.

    The code is signed and names this row; it is kept nowhere. `attempts`, `next_at`: of sending.
    """

    account = models.ForeignKey(User, on_delete=models.CASCADE, related_name="guest_claims")
    email = models.EmailField(max_length=254)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    next_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(
                fields=["next_at"],
                name="guest_claim_waiting",
                condition=models.Q(sent_at=None),
            ),
        )

    def __str__(self) -> str:
        return f"claim {self.pk} of {self.account_id}"

"""Accounts and their logins."""

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower


class User(AbstractUser):
    """A traveller (`user`) or a member of staff (`admin`, `is_staff`).

    The e-mail is unique whatever its case, and serves as a second login name.
    """

    id: int
    email = models.EmailField(max_length=254)
    phone_number = models.CharField(max_length=20, blank=True)

    class Meta(AbstractUser.Meta):
        constraints = (
            models.UniqueConstraint(Lower("email"), name="user_email_case_insensitive"),
            models.UniqueConstraint(Lower("username"), name="user_username_case_insensitive"),
        )

    @property
    def role(self) -> str:
        return "admin" if self.is_staff else "user"


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

    def __str__(self) -> str:
        return str(self.sid)

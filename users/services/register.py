"""Make an account."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from config import clock
from config.errors import Invalid
from config.outbox.facts import append
from users import facts
from users.models import User

_TAKEN = {
    "user_email_case_insensitive": ("email", "An account with this e-mail exists already."),
    "user_username_case_insensitive": ("username", "This username is taken."),
    "users_user_username_key": ("username", "This username is taken."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    username: str
    email: str
    password: str
    first_name: str = ""
    last_name: str = ""
    phone_number: str = ""


def register(*, account: NewAccount) -> User:
    """A traveller's account. Raises `Invalid` by field: names in use, weak passwords."""
    user = User(
        username=User.normalize_username(account.username),
        email=User.objects.normalize_email(account.email),
        first_name=account.first_name,
        last_name=account.last_name,
        phone_number=account.phone_number,
        date_joined=clock.now(),
    )
    errors = _wrong(user, account.password)
    if errors:
        raise Invalid(errors)
    user.set_password(account.password)
    with transaction.atomic(), taken_names_are_invalid():
        user.save()
        append(facts.registered(user.pk))
    return user


class taken_names_are_invalid:  # noqa: N801  # reads as the sentence it is in a `with`
    """Turns the database's word on a name in use (two may register at once) into `Invalid`."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, IntegrityError):
            for constraint, (field, message) in _TAKEN.items():
                if constraint in str(error):
                    raise Invalid({field: [message]}) from None


def _wrong(user: User, password: str) -> dict[str, list[str]]:
    """Cheap checks of what the account would be; the database has the last word on names."""
    errors: dict[str, list[str]] = {}
    checks: tuple[Callable[[], None], ...] = (
        lambda: user.clean_fields(exclude=["password"]),
        user.clean,
        lambda: validate_password(password, user),
    )
    for check in checks:
        try:
            check()
        except ValidationError as wrong:
            by_field = wrong.message_dict if hasattr(wrong, "error_dict") else {}
            for field, messages in (by_field or {"password": wrong.messages}).items():
                errors.setdefault(field, []).extend(messages)
    return errors

"""Change what an owner may change about the account."""

from collections.abc import Mapping

from django.core.exceptions import ValidationError

from config.errors import Invalid, NotAuthenticated
from users.models import User
from users.services.register import taken_names_are_invalid


def load_account(*, user_id: int) -> User:
    """The account behind a token. Raises `NotAuthenticated` when it was closed since."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        raise NotAuthenticated("This account is closed")
    return user


def update_profile(*, user_id: int, changes: Mapping[str, str]) -> User:
    """Set names, e-mail or phone number. Raises `Invalid`: an e-mail in use."""
    user = load_account(user_id=user_id)
    for field, value in changes.items():
        setattr(user, field, value)
    try:
        user.clean()
    except ValidationError as wrong:
        raise Invalid(wrong.message_dict) from None
    with taken_names_are_invalid():
        user.save(update_fields=list(changes))
    return user

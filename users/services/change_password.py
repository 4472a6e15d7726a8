"""A new password, by its owner."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from config.errors import Invalid
from users.claims import Caller
from users.services.update_profile import load_account


def change_password(*, caller: Caller, old_password: str, new_password: str) -> None:
    """Ends the account's other logins; the one that asks goes on.

    Raises `Invalid`: the old one is wrong, the new one is weak.
    """
    user = load_account(user_id=caller.user_id)
    if not user.check_password(old_password):
        raise Invalid({"old_password": ["This is not your password."]})
    try:
        validate_password(new_password, user)
    except ValidationError as weak:
        raise Invalid({"new_password": weak.messages}) from None
    user.set_password(new_password)
    user.spared_sid = caller.sid
    user.save(update_fields=["password"])

"""Whose name and password are these? In one time and with one answer for every kind of no."""

from functools import cache

from django.contrib.auth.hashers import check_password, make_password
from django.db.models import Q, Value
from django.db.models.functions import Lower

from users.models import User


def recognise(*, name: str, password: str) -> tuple[User | None, bool]:
    """The account of that username or e-mail, whatever its case, and whether it may come in.

    A name nobody has costs one password hash too, so that the time taken tells nothing.
    """
    decoy = _decoy_hash()
    user = find_account(name)
    if user is None:
        check_password(password, decoy)
        return None, False
    return user, user.check_password(password) and user.is_active


def find_account(name: str) -> User | None:
    """By username first; nobody can take a username that is another's e-mail (`User.clean`).

    Never a guest, who has no password and perhaps the e-mail of somebody else.
    """
    wanted = Lower(Value(User.normalize_username(name)))
    found = User.objects.alias(name_=Lower("username"), email_=Lower("email")).filter(
        Q(name_=wanted) | Q(email_=wanted), is_guest=False
    )[:2]
    by_name = [user for user in found if user.username.lower() == name.lower()]
    return next(iter([*by_name, *found]), None)


@cache
def _decoy_hash() -> str:
    return make_password("nobody has this password")

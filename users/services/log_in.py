"""Begin a login."""

import uuid
from dataclasses import dataclass

from django.db import transaction

from config import clock
from config.errors import NotAuthenticated
from config.outbox.facts import append
from users import facts
from users.minting import TokenPair, mint
from users.models import Login, User
from users.services.recognise import recognise


@dataclass(frozen=True, slots=True)
class LoggedIn:
    user: User
    tokens: TokenPair


def log_in(*, name: str, password: str, address: str) -> LoggedIn:
    """A new login of the account with this username or e-mail.

    `address` is kept only with failures of unknown names. Raises `NotAuthenticated`, the same
    for an unknown name, a wrong password and an account that was shut.
    """
    user, may_come_in = recognise(name=name, password=password)
    begun = _begin(user) if user is not None and may_come_in else None
    if begun is None:
        append(facts.login_failed(None if user is None else user.pk, address))
        raise NotAuthenticated("No active account has this name and password")
    return begun


def _begin(user: User) -> LoggedIn | None:
    """Write the login down, unless the account was shut or its password changed meanwhile.

    The update takes the account's row, so that whoever takes rights away comes before it, and is
    seen here, or after it, and ends this login too.
    """
    now = clock.now()
    sid = uuid.uuid4()
    with transaction.atomic():
        standing = User.objects.filter(pk=user.pk, is_active=True, password=user.password)
        if not standing.update(last_login=now):
            return None
        user.refresh_from_db(fields=["is_staff"])
        tokens = mint(user=user, sid=sid)
        Login.objects.create(
            sid=sid,
            user=user,
            refresh_jti=tokens.refresh_jti,
            created_at=now,
            expires_at=tokens.expires_at,
        )
        append(facts.logged_in(user.pk, sid))
    return LoggedIn(user, tokens)

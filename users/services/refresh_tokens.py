"""Trade a refresh token for new tokens; each can be traded once.

    thief                       owner
    -----                       -----
    refresh(R1) → R2
                                refresh(R1): R1 is dead, so somebody else has it:
                                the login ends for both, R2 and all access tokens are dead

A client whose answer was lost looks like a thief and must log in again; that is the price.
"""

from django.db import transaction

from config.errors import NotAuthenticated, TokenExpired
from users import claims
from users.minting import TokenPair, mint
from users.models import Login
from users.services.end_logins import end_logins


def refresh_tokens(*, refresh: str) -> TokenPair:
    """New tokens of the same login; the old refresh token is dead.

    Raises `TokenExpired`, or `NotAuthenticated` for a token that is not ours, was traded before
    (which ends the login), or belongs to a login that was ended.
    """
    said = claims.read(refresh, kind="refresh")
    if said.has_expired:
        raise TokenExpired("Log in again")
    with transaction.atomic():
        login = (
            Login.objects.select_for_update(of=("self", "user"))
            .select_related("user")
            .filter(sid=said.caller.sid, ended_at=None, user__is_active=True)
            .first()
        )
        if login is None:
            raise NotAuthenticated("This login was ended")
        if login.refresh_jti == said.jti:
            return _rotate(login)
        # No error may leave this block: the end of the login must be committed.
        end_logins(user_id=login.user_id, only=login.sid, reason="refresh-reused")
    raise NotAuthenticated("This token was used before; the login was ended")


def _rotate(login: Login) -> TokenPair:
    tokens = mint(user=login.user, sid=login.sid)
    Login.objects.filter(pk=login.pk).update(
        refresh_jti=tokens.refresh_jti, expires_at=tokens.expires_at
    )
    return tokens

"""The two tokens of a login, made with simplejwt from Django's settings.

Claims of both: `sub` (user id as text), `sid` (the login), `staff`, `exp`, `iat`, `jti`,
`token_type`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from config import clock
from users.models import User


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a login or a refresh gives. `refresh_jti` names the one refresh token that is good,
    `expires_at` is when it ends.
    """

    access: str
    refresh: str
    refresh_jti: str
    expires_at: datetime


def mint(*, user: User, sid: UUID) -> TokenPair:
    """New tokens for this login; the caller writes `refresh_jti` and `expires_at` down."""
    now = clock.now()
    refresh = RefreshToken()
    lifetime: timedelta = api_settings.REFRESH_TOKEN_LIFETIME
    return TokenPair(
        access=_signed(AccessToken(), user, sid, now),
        refresh=_signed(refresh, user, sid, now),
        refresh_jti=str(refresh["jti"]),
        expires_at=now + lifetime,
    )


def _signed(token: Token, user: User, sid: UUID, now: datetime) -> str:
    token["sub"] = str(user.pk)
    token["sid"] = str(sid)
    token["staff"] = user.is_staff
    token.set_iat(at_time=now)
    token.set_exp(from_time=now)
    return str(token)

"""Who is calling: access tokens checked without an SQL query.

The fast path of every call. Promises: a token that was not signed here, has run out, or belongs
to a login that was ended is refused. Relies on: the signing key, and the marks of ended logins in
Redis (`users.marks`), which are looked up at each call, so that a logout counts at once in every
process. Never does: load the user. What it says about staff rights is as old as the token; taking
rights away ends the logins, so it is never too generous.

A signature that was checked once is remembered (by the whole token, in a bounded table, in this
process), because checking it costs as much as the rest of a short call. The expiry is judged each
time.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import jwt
from django.http import HttpRequest
from rest_framework_simplejwt.settings import api_settings

from config import clock
from config.errors import NotAuthenticated, TokenExpired
from users import marks
from users.models import Login

ALGORITHM: Final = "HS256"
MAX_TOKEN_LENGTH: Final = 2048
REMEMBERED_TOKENS: Final = 8192

# Expiry is judged here, by the clock of the product, at each call.
_decoder = jwt.PyJWT({"verify_exp": False, "verify_iat": False, "verify_nbf": False})


@dataclass(frozen=True, slots=True)
class Caller:
    """What a good access token says: whose it is, whether staff, and of which login (`sid`)."""

    user_id: int
    is_staff: bool
    sid: str


@dataclass(frozen=True, slots=True)
class Claims:
    """The content of a token whose signature is good. `expires_at` in Unix seconds."""

    caller: Caller
    kind: str
    jti: str
    expires_at: int

    @property
    def has_expired(self) -> bool:
        return self.expires_at <= clock.now().timestamp()


@lru_cache(maxsize=1)
def _key() -> bytes:
    """The verifying key as bytes; with HMAC it is the signing key."""
    return str(api_settings.SIGNING_KEY).encode()


def read(token: str, *, kind: str) -> Claims:
    """The claims of a token signed here, of that type (`access`, `refresh`), expired or not.

    Raises `NotAuthenticated` for anything else.
    """
    if len(token) > MAX_TOKEN_LENGTH:
        raise NotAuthenticated("The token is not valid")
    claims = _signed(token)
    if claims.kind != kind:
        raise NotAuthenticated(f"Not the {kind} token, which is needed here")
    return claims


@lru_cache(maxsize=REMEMBERED_TOKENS)
def _signed(token: str) -> Claims:
    """Check the signature. Only good tokens are remembered: what raises is not cached."""
    try:
        said: dict[str, Any] = _decoder.decode(token, _key(), algorithms=[ALGORITHM])
        return Claims(
            caller=Caller(int(said["sub"]), said["staff"] is True, str(said["sid"])),
            kind=str(said["token_type"]),
            jti=str(said["jti"]),
            expires_at=int(said["exp"]),
        )
    except (jwt.PyJWTError, KeyError, TypeError, ValueError):
        raise NotAuthenticated("The token is not valid") from None


def caller_of(request: HttpRequest, *, check_ended: bool = True) -> Caller:
    """Who sent this request, by its `Authorization: Bearer` header. No SQL.

    `check_ended=False` leaves out the look into Redis, for callers whose own script looks into
    its own slot (`keys.ended`). Raises `NotAuthenticated`, `TokenExpired`.
    """
    header = request.META.get("HTTP_AUTHORIZATION", "")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotAuthenticated("Send the header Authorization: Bearer <access token>")
    claims = read(token.strip(), kind="access")
    if claims.has_expired:
        raise TokenExpired("Ask for a new access token with your refresh token")
    if check_ended and is_ended(claims.caller.sid):
        raise NotAuthenticated("This login was ended")
    request.__dict__["caller"] = claims.caller  # for the request log, which never asks itself
    return claims.caller


def optional_caller(request: HttpRequest) -> Caller | None:
    """Who sent this request, or None when it carries no `Authorization` header at all.

    For calls that are open to everybody: a bad token is refused there too.
    """
    if "HTTP_AUTHORIZATION" not in request.META:
        return None
    return caller_of(request)


def is_ended(sid: str) -> bool:
    """Was this login ended? Asks Redis; asks PostgreSQL when Redis is away or has forgotten."""
    marked = marks.look(sid)
    if marked is None:
        return not Login.objects.filter(sid=sid, ended_at=None).exists()
    return marked

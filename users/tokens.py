"""Who is calling: access tokens checked without an SQL query.

The fast path of every call. Promises: a token that was not signed here, has run out, or belongs
to a login that was ended is refused. Relies on: the signing key, and the marks of ended logins in
Redis (`users.marks`), which are looked up at each call, so that a logout counts at once in every
process. Never does: load the user. What it says about staff rights is as old as the token; taking
rights away ends the logins, so it is never too generous.
"""

from django.http import HttpRequest

from config.errors import Forbidden, NotAuthenticated, TokenExpired
from users import api_keys, marks
from users.claims import Caller, read
from users.models import Login
from users.services.restore_marks import notice_lost_marks

__all__ = ["Caller", "caller_of", "is_ended", "optional_caller", "require_scope"]


def caller_of(request: HttpRequest, *, check_ended: bool = True) -> Caller:
    """Who sent this request, by its `Authorization: Bearer` header. No SQL.

    `check_ended=False` leaves out the look into Redis, for callers whose own script looks into
    its own slot (`keys.ended`). Raises `NotAuthenticated`, `TokenExpired`.
    """
    header = request.META.get("HTTP_AUTHORIZATION", "")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotAuthenticated("Send the header Authorization: Bearer <access token>")
    caller = _caller(request, token.strip())
    if check_ended and is_ended(caller.sid):
        raise NotAuthenticated("This login was ended")
    request.__dict__["caller"] = caller  # for the request log, which never asks itself
    return caller


def _caller(request: HttpRequest, token: str) -> Caller:
    if api_keys.is_key(token):
        return api_keys.caller_by_key(request, token)
    claims = read(token, kind="access")
    if claims.has_expired:
        raise TokenExpired("Ask for a new access token with your refresh token")
    return claims.caller


def require_scope(caller: Caller, scope: str | None) -> None:
    """Refuse an API key that has not this scope (None: the call is closed to keys).

    Raises `Forbidden`. People have no scopes: they may what their account may.
    """
    if caller.key is None or scope in caller.key.scopes:
        return
    if scope is None:
        raise Forbidden("This call is not for API keys")
    raise Forbidden(f"This key has not the scope {scope}", scope=scope)


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
        notice_lost_marks()  # so that the next call need not ask PostgreSQL
        return not Login.objects.filter(sid=sid, ended_at=None).exists()
    return marked

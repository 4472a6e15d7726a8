"""API keys: checked without an SQL query, by a memory of this process that is a minute old at most.

    key = slk_<10 letters and digits>_<43 characters>      the part before the second _ is shown

Promises: a key that was not made here, has run out, was revoked, or whose account was closed is
refused. A key is a login that no token carries, so revoking is ending that login: the mark in
Redis (`users.marks`) is looked up at each call, as for tokens, and by every hold script.

    this process              revoke                     PostgreSQL
    remembers the key    -->  ended_at; COMMIT; mark
    looks at the mark: dead   the mark lives as long as an access token ...
    forgets the key after a minute, asks PostgreSQL: dead

A memory is never older than a mark lives, so one of the two always says no. While PostgreSQL is
away a remembered key goes on for as long as an access token would.
"""

import hashlib
import re
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import OperationalError
from django.db.models import Q
from django.http import HttpRequest

from config import clock
from config.errors import NotAuthenticated
from config.http import throttles
from users.claims import Caller, KeyRights
from users.models import ApiKey

MARK: Final = "slk_"
FORM: Final = re.compile(r"(slk_[a-z2-7]{10})_[A-Za-z0-9_-]{43}")
FRESH_SECONDS: Final = 60
REMEMBERED_KEYS: Final = 4096
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz234567"


@dataclass(frozen=True, slots=True)
class NewKey:
    """`text` is told once; `prefix` and `digest` are kept."""

    text: str
    prefix: str
    digest: str


@dataclass(frozen=True, slots=True)
class _Known:
    caller: Caller
    expires_at: datetime
    looked_up_at: datetime

    @property
    def age_seconds(self) -> float:
        return (clock.now() - self.looked_up_at).total_seconds()


_known: OrderedDict[str, _Known] = OrderedDict()
_lock = threading.Lock()


def new_key() -> NewKey:
    prefix = MARK + "".join(secrets.choice(_LETTERS) for _ in range(10))
    text = f"{prefix}_{secrets.token_urlsafe(32)}"
    return NewKey(text, prefix, digest_of(text))


def digest_of(text: str) -> str:
    """SHA-256: a key has 256 random bits, so a slow hash would protect nothing."""
    return hashlib.sha256(text.encode()).hexdigest()


def is_key(text: str) -> bool:
    return text.startswith(MARK)


def caller_by_key(request: HttpRequest, text: str) -> Caller:
    """Whose key this is. Raises `NotAuthenticated`, `Throttled` (keys nobody has, tried in a row).

    Whether it was revoked a moment ago is for the caller to ask (`users.tokens.is_ended`).
    """
    form = FORM.fullmatch(text)
    if form is None:
        raise NotAuthenticated("This is not an API key")
    digest = digest_of(text)
    known = _known.get(digest)
    if known is None or known.age_seconds >= _fresh_seconds():
        known = _ask_again(request, form[1], digest, known)
    if known.expires_at <= clock.now():
        raise NotAuthenticated("This API key has run out")
    return known.caller


def forget_keys() -> None:
    """Forget what this process knows (tests, and whoever changed a key's rights)."""
    with _lock:
        _known.clear()


def _fresh_seconds() -> int:
    return min(FRESH_SECONDS, int(settings.ENV.access_token_seconds))


def _ask_again(request: HttpRequest, prefix: str, digest: str, known: _Known | None) -> _Known:
    if known is None:
        throttles.check(request, "key")
    try:
        found = _look_up(prefix, digest)
    except OperationalError:
        if known is None or known.age_seconds >= settings.ENV.access_token_seconds:
            raise
        return known
    with _lock:
        _known.pop(digest, None)
        if found is not None:
            _known[digest] = found
            while len(_known) > REMEMBERED_KEYS:
                _known.popitem(last=False)
    if found is None:
        raise NotAuthenticated("This API key is not valid")
    return found


def _look_up(prefix: str, digest: str) -> _Known | None:
    """Two statements: the key, and at most once a minute that it was used."""
    now = clock.now()
    key = (
        ApiKey.objects.select_related("login")
        .filter(prefix=prefix, login__ended_at=None, login__user__is_active=True)
        .first()
    )
    if key is None or not secrets.compare_digest(key.digest, digest):
        return None
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - timedelta(seconds=FRESH_SECONDS))
    ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)
    rights = KeyRights(key.prefix, frozenset(key.scopes), key.calls_per_minute)
    caller = Caller(user_id=key.login.user_id, is_staff=False, sid=str(key.login_id), key=rights)
    return _Known(caller, key.login.expires_at, now)

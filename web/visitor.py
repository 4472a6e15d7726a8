"""Who visits: the account of the session cookie, and the login its holds belong to.

A page's login is a login like the API's: the session keeps its `sid`, so that the hold scripts
refuse it once it ended, and a logout, a new password or lost rights end it everywhere at once.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.conf import settings
from django.contrib.auth import login, logout
from django.http import HttpRequest

from config.http.addresses import client_address
from reservations.services.hold_seats import Owner
from users import claims
from users.models import User
from users.services.end_logins import end_logins
from users.services.log_in import log_in
from users.tokens import is_ended

SID: Final = "sid"
_BACKEND: Final = "users.backends.AccountBackend"


@dataclass(frozen=True)
class Visitor:
    """Somebody who is signed in."""

    user: User
    sid: str

    @property
    def id(self) -> int:
        return self.user.pk

    @property
    def owner(self) -> Owner:
        return Owner(self.user.pk, self.sid)

    def may(self, permission: str) -> bool:
        """Whether a role gives this right of the board; the API's `admin` has all."""
        return self.user.is_staff or self.user.has_perm(permission)

    @property
    def is_staff(self) -> bool:
        """Whether there is anything for them on the board."""
        return self.user.is_staff or self.user.has_module_perms("web")


def visitor_of(request: HttpRequest) -> Visitor | None:
    """Who is signed in, or None; a session whose login was ended is ended here."""
    known: object = request.__dict__.get("_visitor", False)
    if known is None or isinstance(known, Visitor):
        return known
    found = _look(request)
    request.__dict__["_visitor"] = found
    return found


def _look(request: HttpRequest) -> Visitor | None:
    sid = request.session.get(SID)
    if sid is None or not isinstance(request.user, User):
        return None
    if is_ended(sid):
        logout(request)
        return None
    return Visitor(request.user, sid)


def sign_in(request: HttpRequest, *, name: str, password: str) -> Visitor:
    """Begin a login and a session for it. Raises `NotAuthenticated`.

    The session gets a new key, so that one that was planted before is worth nothing.
    """
    done = log_in(name=name, password=password, address=client_address(request))
    sid = claims.read(done.tokens.access, kind="access").caller.sid
    login(request, done.user, backend=_BACKEND)
    request.session[SID] = sid
    request.session.set_expiry(settings.ENV.refresh_token_seconds)
    visitor = Visitor(done.user, sid)
    request.__dict__["_visitor"] = visitor
    return visitor


def sign_out(request: HttpRequest) -> None:
    """End the login, and the session with all that is in it."""
    sid = request.session.get(SID)
    if sid is not None and isinstance(request.user, User):
        end_logins(user_id=request.user.pk, only=UUID(sid), reason="logout")
    logout(request)
    request.__dict__["_visitor"] = None

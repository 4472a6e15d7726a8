"""DRF's door: the same check of access tokens as the fast path, and a user without a row."""

from dataclasses import dataclass
from typing import ClassVar

from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from config.http.requests import django_request
from users.tokens import Caller, optional_caller, require_scope


@dataclass(frozen=True, slots=True)
class TokenUser:
    """`request.user` of an API call: what the token says, no row loaded.

    Enough for permissions (`is_authenticated`, `is_staff`) and for ownership (`id`). A view that
    needs the profile loads `User` by `id` itself.
    """

    id: int
    is_staff: bool
    sid: str

    is_active: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False
    is_authenticated: ClassVar[bool] = True

    @property
    def pk(self) -> int:
        return self.id

    @classmethod
    def of(cls, caller: Caller) -> "TokenUser":
        return cls(id=caller.user_id, is_staff=caller.is_staff, sid=caller.sid)


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access>`. A bad token is 401 on open calls too.

    An API key reads with the scope `read`; it writes only where the view names its `key_scope`.
    """

    def authenticate(self, request: Request) -> tuple[TokenUser, Caller] | None:
        caller = optional_caller(django_request(request))
        if caller is None:
            return None
        by_method = "read" if request.method in SAFE_METHODS else None
        view = (request.parser_context or {}).get("view")
        require_scope(caller, getattr(view, "key_scope", None) or by_method)
        return TokenUser.of(caller), caller

    def authenticate_header(self, request: Request) -> str:
        del request
        return "Bearer"

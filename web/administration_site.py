"""Django's admin, which lets in who has a role for it beside the API's `admin`.

What one sees and changes in there is up to Django's permissions on each model, as ever.
"""

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest

from web.staff.rights import Right

if TYPE_CHECKING:  # the theme has no types
    from django.contrib.admin import AdminSite as ThemedSite
    from django.contrib.admin.forms import AdminAuthenticationForm as ThemedSignIn
else:
    from unfold.forms import AuthenticationForm as ThemedSignIn
    from unfold.sites import UnfoldAdminSite as ThemedSite


def may_enter(user: Any) -> bool:
    """Staff of the API, and who has the right; a stranger is nobody."""
    return bool(user.is_active and (user.is_staff or user.has_perm(Right.USE_ADMIN.permission)))


class SignIn(ThemedSignIn):
    def confirm_login_allowed(self, user: AbstractBaseUser) -> None:
        if not may_enter(user):
            raise self.get_invalid_login_error()


class Administration(ThemedSite):
    login_form = SignIn

    def has_permission(self, request: HttpRequest) -> bool:
        return may_enter(request.user)

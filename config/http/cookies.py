"""What belongs to pages (sessions, users, CSRF, messages, languages, policies) stays off the API.

Calls below `/api/v1/` know a caller by the Bearer token alone. Leaving these out there makes
that certain, whatever cookies a browser sends along, and saves about a sixth of a short call.
Everywhere else (the admin, pages) they work as Django made them.
"""

from typing import Any, Final

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseForbidden
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

API_PREFIX: Final = "/api/v1/"
_IN_ENGLISH: Final = ("/api/", "/admin/", "/health/", "/metrics")


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith(API_PREFIX)


class PageSessionMiddleware(SessionMiddleware):
    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request) if _is_api(request) else super().__call__(request)


class PageCsrfMiddleware(CsrfViewMiddleware):
    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request) if _is_api(request) else super().__call__(request)

    def process_view(
        self,
        request: HttpRequest,
        callback: Any,
        callback_args: Any,
        callback_kwargs: Any,
    ) -> HttpResponseForbidden | None:
        """No cookie is trusted below the API, so there is nothing a foreign page could abuse."""
        if _is_api(request):
            return None
        return super().process_view(request, callback, callback_args, callback_kwargs)


class PageAuthenticationMiddleware(AuthenticationMiddleware):
    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request) if _is_api(request) else super().__call__(request)


class PageMessageMiddleware(MessageMiddleware):
    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request) if _is_api(request) else super().__call__(request)


class PagePolicyMiddleware(CSPMiddleware):
    """What a page may load (CONTENT_SECURITY_POLICY)."""

    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request) if _is_api(request) else super().__call__(request)


class PageLocaleMiddleware(LocaleMiddleware):
    """Pages speak the visitor's language (a cookie, else the browser's); all else English.

    The language is that of the thread, and goes with the request: the next one there may be of
    the API.
    """

    def __call__(self, request: HttpRequest) -> Any:
        if request.path_info.startswith(_IN_ENGLISH):
            return self.get_response(request)
        with translation.override(settings.LANGUAGE_CODE, deactivate=True):
            return super().__call__(request)


class PageFrameMiddleware(XFrameOptionsMiddleware):
    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request) if _is_api(request) else super().__call__(request)

"""What belongs to cookies (sessions, users, CSRF, messages, framing) stays away from the API.

Calls below `/api/v1/` know a caller by the Bearer token alone. Leaving these five out there makes
that certain, whatever cookies a browser sends along, and saves about a sixth of a short call.
Everywhere else (the admin, pages) they work as Django made them.
"""

from typing import Any, Final

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseForbidden
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.csrf import CsrfViewMiddleware

API_PREFIX: Final = "/api/v1/"


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


class PageFrameMiddleware(XFrameOptionsMiddleware):
    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request) if _is_api(request) else super().__call__(request)

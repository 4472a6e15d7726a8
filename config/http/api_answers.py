"""What every answer below `/api/v1/` has in common, whichever kind of view gave it.

Nothing is kept by caches on the way (`Cache-Control: no-store`): answers are somebody's own, carry
tokens, or are true for a second. `OPTIONS` says which methods there are and asks for no token, as
the methods of an address are public; a browser's preflight is answered before, by the CORS rules.
"""

from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest, HttpResponse

API_PREFIX: Final = "/api/v1/"
_METHODS: Final = ("get", "post", "put", "patch", "delete")


class ApiAnswersMiddleware:
    """Stands outside whatever may refuse a request, so that refusals look the same."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path_info.startswith(API_PREFIX):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Answer `OPTIONS` in place of the view."""
        del args, kwargs
        if request.method != "OPTIONS" or not request.path_info.startswith(API_PREFIX):
            return None
        return HttpResponse(status=204, headers={"Allow": allow(methods_of(view))})


def methods_of(view: Any) -> list[str]:
    """The methods a view has handlers for, of a plain view (`methods`) or a class of DRF's."""
    if hasattr(view, "methods"):
        return list(view.methods)
    return [name.upper() for name in _METHODS if hasattr(view.cls, name)]


def allow(methods: list[str]) -> str:
    """The `Allow` header of a view with these handlers; who has GET has HEAD."""
    head = ["HEAD"] if "GET" in methods else []
    return ", ".join([*methods, *head, "OPTIONS"])

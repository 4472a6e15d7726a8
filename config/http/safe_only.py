"""For plain views that only read, and that nobody signs in for: probes and metrics."""

from collections.abc import Callable
from functools import wraps
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from config.errors import SeatlockError
from config.http.problems import render

_METHODS: Final = ("GET", "HEAD")


class _OnlyRead(SeatlockError):
    code = "method-not-allowed"


def safe_only(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Refuse other methods with a problem document, and let nobody keep the answer."""

    @csrf_exempt  # else Django refuses a POST first, with a page for people
    @never_cache
    @wraps(view)
    def inside(request: HttpRequest) -> HttpResponse:
        if request.method in _METHODS:
            return view(request)
        response = render(_OnlyRead(f"{request.method} is not among {', '.join(_METHODS)}."))
        response["Allow"] = ", ".join(_METHODS)
        return response

    return inside

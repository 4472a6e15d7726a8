"""What every page has in common: who visits, how often, the frame around it, how refusals look.

A view is `page(...)` around a function `view(request, visitor, **path)`; it parses, calls one
service, renders. Forms change things by POST and CSRF token alone; htmx sends the token as a
header. Pages carry somebody's own data and are kept by no cache.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache

from config.errors import SeatlockError
from config.http import throttles
from config.http.problems import explain
from web.hold_bar import hold_bar
from web.told import tell
from web.visitor import visitor_of

View = Callable[..., HttpResponse]
THEMES: Final = ("auto", "light", "dark")
THEME_COOKIE: Final = "theme"


def page(
    *, scope: str = "read", signed_in: bool = False, methods: tuple[str, ...] = ("GET",)
) -> Callable[[View], View]:
    """Wrap a page's function, which gets the `Visitor`, or None for a stranger.

    `scope`: its class of calls (`config.http.throttles.RATES`). `signed_in`: strangers are asked to
    sign in first, and come back. What it raises becomes a page that says so.
    """

    def wrap(view: View) -> View:
        @never_cache
        @wraps(view)
        def inside(request: HttpRequest, **path: Any) -> HttpResponse:
            if request.method not in {*methods, "HEAD"}:
                return HttpResponseNotAllowed(methods)
            try:
                visitor = visitor_of(request)
                throttles.check(request, scope, visitor.id if visitor else None)
                if visitor is None and signed_in:
                    return ask_to_sign_in(request)
                return view(request, visitor, **path)
            except Exception as error:  # noqa: BLE001  # explained, logged if nobody foresaw it
                return refuse(request, explain(error))

        return inside

    return wrap


def show(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """A whole page in the frame of the site."""
    return render(request, template, {**_frame(request), **(context or {})}, status=status)


def _frame(request: HttpRequest) -> dict[str, Any]:
    visitor = visitor_of(request)
    return {
        "visitor": visitor,
        "held": hold_bar(visitor) if visitor else [],
        "theme": theme_of(request),
        "themes": THEMES,
        "language": get_language(),
        "CURRENCY": settings.ENV.currency,
        "languages": settings.LANGUAGES,
        "here": request.get_full_path() if request.method == "GET" else "",
    }


def theme_of(request: HttpRequest) -> str:
    """The visitor's choice of light or dark; `auto` follows the system."""
    chosen = request.COOKIES.get(THEME_COOKIE, "auto")
    return chosen if chosen in THEMES else "auto"


def refuse(request: HttpRequest, error: SeatlockError) -> HttpResponse:
    """A page, or for htmx a note, that says what went wrong and what can be done."""
    status = int(error.problem.status)
    context = {"told": tell(error), "status": status}
    if request.headers.get("HX-Request"):
        return render(request, "web/parts/note.html", context, status=status)
    try:
        answer = show(request, "web/refused.html", context, status=status)
    except Exception:  # noqa: BLE001  # the frame itself needs what is down
        answer = render(request, "web/down.html", context, status=status)
    add_never_cache_headers(answer)
    if wait := error.data.get("retry_after_seconds"):
        answer["Retry-After"] = str(wait)
    return answer


def ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    """To the login page, and back to where a GET was heading."""
    query = urlencode({"next": request.get_full_path()}) if request.method == "GET" else ""
    return go(request, f"{reverse('web:login')}{'?' if query else ''}{query}")


def go(request: HttpRequest, address: str) -> HttpResponse:
    """Send the browser there, also when htmx asked."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)


def safe_next(request: HttpRequest, default: str) -> str:
    """Where a form says to go on to, if that is on this site; else `default`."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure())
    return wanted if is_ours else default

"""Errors outside any view: a page for people, problem documents for programs.

Who asks below `/api/`, or does not ask for HTML, is a program.
"""

from typing import Final

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from config.errors import Forbidden, NotFound, SeatlockError
from config.http import problems
from web.page import refuse

_NOT_PAGES: Final = ("/api/", "/admin/", "/metrics", "/health/", "/static/")


def _is_for_people(request: HttpRequest) -> bool:
    wants_html = "text/html" in request.headers.get("Accept", "")
    return wants_html and not request.path_info.startswith(_NOT_PAGES)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_for_people(request):
        return refuse(request, NotFound())
    return problems.page_not_found(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_for_people(request):
        return refuse(request, Forbidden())
    return problems.permission_denied(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if _is_for_people(request):
        return refuse(request, SeatlockError())
    return problems.server_error(request)


def csrf_refused(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    if _is_for_people(request) or request.headers.get("HX-Request"):
        return refuse(request, Forbidden())
    return problems.csrf_refused(request, reason)

"""Every API request becomes one document: endpoint, parameters, user, status, time taken. So does
each request for a page whose view noted what it understood.

The middleware only looks and queues; `config.http.request_stream` takes it from there, and
`analytics` ships it into MongoDB. Client addresses are not kept: no report needs them, and what
is not kept cannot leak. Bodies are not kept either.
"""

import time
from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils.functional import LazyObject, empty
from rest_framework.request import Request

from config.http.request_stream import LoggedRequest, RequestStream
from config.http.requests import django_request

API_PREFIX: Final = "/api/v1/"
UNMATCHED: Final = "(unmatched)"
_ROUTE_PREFIX: Final = API_PREFIX.lstrip("/")

STREAM: Final = RequestStream()


class RequestLogMiddleware:
    """Stands right inside the CORS middleware, so that its time is the whole of our work."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        response = self.get_response(request)
        if request.path_info.startswith(API_PREFIX) or "_noted" in request.__dict__:
            record(request, response.status_code, started)
        return response


def record(request: HttpRequest, status: int, started: float) -> None:
    """Log an answered request. `started` is a `time.perf_counter()` from its beginning, seconds.

    For whoever answers outside the middleware. Never raises on what it does not find.
    """
    duration_seconds = time.perf_counter() - started
    STREAM.put(
        LoggedRequest(
            started_at=time.time() - duration_seconds,
            duration_ms=duration_seconds * 1000,
            method=request.method or "",
            endpoint=_endpoint(request),
            query=request.META.get("QUERY_STRING", ""),
            status=status,
            user=_user_id(request),
            noted=request.__dict__.get("_noted"),
        )
    )


def note(request: HttpRequest | Request, **values: str | int) -> None:
    """Let a view say what it understood (`source="CSMT"`), so that reports need not guess."""
    plain = django_request(request) if isinstance(request, Request) else request
    plain.__dict__.setdefault("_noted", {}).update(values)


def _endpoint(request: HttpRequest) -> str:
    """The route pattern, never the path: paths carry PNRs and have no end."""
    match = request.resolver_match
    return match.route.removeprefix(_ROUTE_PREFIX) if match is not None else UNMATCHED


def _user_id(request: HttpRequest) -> int | None:
    """Who the view found to be calling. Looks, never asks: asking could run a query."""
    known: Any = request.__dict__.get("caller") or request.__dict__.get("user")
    if isinstance(known, LazyObject) and known.__dict__.get("_wrapped", empty) is empty:
        return None
    found = getattr(known, "user_id", None) or getattr(known, "pk", None)
    return found if isinstance(found, int) else None

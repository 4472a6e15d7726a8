"""The short way in: plain views are reached without Django's handler and middleware.

    request ── plain view, GET or POST, nothing odd about it ──> view ── headers ──> answer
       └────── everything else ──> Django: middleware, handler, any view

It saves 100 µs of CPU a call, on calls whose own work is some 200. Promises: an answer is the same
by both ways, in code, headers and body, and is counted and logged the same
(`tests/http/test_short_way.py` sends everything both ways). Relies on: plain views (those with
`methods`, `reservations.api.door`) raise nothing and read no cookie. Never does: decide. What a
middleware might refuse or answer by itself goes the long way, where it will.

What the middleware does for such a request, and where it is done here:

| middleware | here |
|---|---|
| counts, times, log | `_tell` |
| cross-origin rules | a request with an `Origin` goes the long way; `Vary` says there are such |
| no store, security headers, length | `_headers` |
| hurry | `hurried` |
| the door: length and text of what comes in | `_is_plain`, `_body`; what it would refuse goes the long way |
| compression | Django's own, of large answers |
| host names | `_is_ours` |
| pages' sessions, languages, messages, static files, CSRF, policies | are not for the API |
| OPTIONS, HEAD, redirects for a missing slash, 404 | go the long way |
"""  # noqa: E501  # a table reads best unbroken

import io
import time
from collections.abc import Callable, Iterable
from functools import cached_property, lru_cache
from http import HTTPStatus
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.wsgi import WSGIRequest
from django.db import close_old_connections, connection
from django.http import HttpRequest, HttpResponse, QueryDict
from django.middleware.security import SecurityMiddleware
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils.cache import patch_vary_headers
from django.utils.log import log_response

from config.http.api_answers import API_PREFIX
from config.http.compression import MIN_BYTES, LargeAnswersGZipMiddleware
from config.http.metrics import count_request
from config.http.query import QUERY_REMEMBERED
from config.http.request_log import record
from config.stores.timing import hurried

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

TAKEN: Final = frozenset({"GET", "POST"})
ADDRESSES_REMEMBERED: Final = 8192
HOSTS_REMEMBERED: Final = 64
QUERIES_REMEMBERED: Final = 4096
LENGTH_DIGITS: Final = 9


class ShortRequest(WSGIRequest):
    """Django's request, of what is known of it already."""

    def __init__(self, environ: Environ, body: bytes, match: ResolverMatch) -> None:
        self.environ = self.META = environ
        self.path = self.path_info = environ["PATH_INFO"]
        self.method = environ["REQUEST_METHOD"]
        self._set_content_type_params(environ)  # type: ignore[attr-defined]  # not in the stubs
        self._body = body
        self._read_started = False
        self.resolver_match = match

    @cached_property
    def GET(self) -> QueryDict:  # type: ignore[override]  # noqa: N802  # Django's name
        text: str = self.environ.get("QUERY_STRING") or ""
        return _query_of(text) if len(text) <= QUERY_REMEMBERED else super().GET


class ShortWay:
    """A WSGI application before another, which gets what does not go the short way."""

    def __init__(self, long_way: Application) -> None:
        self._long_way = long_way
        self._compress = LargeAnswersGZipMiddleware(lambda _: HttpResponse()).process_response
        self._max_body_bytes: int = settings.ENV.max_body_bytes
        self._always = _always()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        started = time.perf_counter()
        match = _view_at(environ["PATH_INFO"], environ["REQUEST_METHOD"])
        if match is None or not _is_plain(environ) or (body := self._body(environ)) is None:
            return self._long_way(environ, start_response)

        request = ShortRequest(environ, body, match)
        with hurried():
            response: HttpResponse = match.func(request, **match.kwargs)
        if connection.connection is not None:
            close_old_connections()  # as Django does at a request's end: it goes into the pool
        if len(response.content) >= MIN_BYTES:
            response = self._compress(request, response)  # type: ignore[assignment]  # no stream
        start_response(_STATUS_LINES[response.status_code], self._headers(response))
        _tell(request, response, started)
        return (response.content,)

    def _body(self, environ: Environ) -> bytes | None:
        """All of the body; None for one that is not short, whole and of a length that was told."""
        length = environ.get("CONTENT_LENGTH") or ""
        if environ["REQUEST_METHOD"] == "GET":
            return None if length.strip("0") else b""
        if not (length.isdigit() and len(length) <= LENGTH_DIGITS):
            return None
        if int(length) > self._max_body_bytes:
            return None
        body: bytes = environ["wsgi.input"].read(int(length))
        if len(body) == int(length):
            return body
        environ["wsgi.input"] = io.BytesIO(body)
        return None

    def _headers(self, response: HttpResponse) -> list[tuple[str, str]]:
        """As the middleware leaves them."""
        told = [*self._always]
        if response.has_header("Vary"):
            patch_vary_headers(response, ("origin",))
        else:
            told.append(("Vary", "origin"))
        if not response.has_header("Cache-Control"):
            told.append(("Cache-Control", "no-store"))
        if not response.has_header("Content-Length"):
            told.append(("Content-Length", str(len(response.content))))
        return [*response.items(), *told]


@lru_cache(maxsize=QUERIES_REMEMBERED)
def _query_of(text: str) -> QueryDict:
    """One object for all who ask the same: it cannot be changed. WSGI gives bytes as text."""
    return QueryDict(text.encode("latin-1"))


def _is_plain(environ: Environ) -> bool:
    """Nothing about this request is for a middleware to refuse, or to answer by itself."""
    query: str = environ.get("QUERY_STRING") or ""
    return (
        "HTTP_ORIGIN" not in environ
        and not environ.get("SCRIPT_NAME")
        and "%00" not in query
        and "\0" not in query
        and _is_ours(environ.get("HTTP_HOST") or "")
    )


@lru_cache(maxsize=ADDRESSES_REMEMBERED)
def _view_at(path: str, method: str) -> ResolverMatch | None:
    """The plain view for an address of the API, by Django's own table; None for all else."""
    is_ours = path.startswith(API_PREFIX) and path.isascii() and path.isprintable()
    if method not in TAKEN or not is_ours:
        return None
    try:
        match = resolve(path)
    except Resolver404:
        return None
    return match if method in getattr(match.func, "methods", ()) else None


@lru_cache(maxsize=HOSTS_REMEMBERED)
def _is_ours(host: str) -> bool:
    """Is this a name of this server (ALLOWED_HOSTS)? Without a name, Django shall say."""
    if not host:
        return False
    request = HttpRequest()
    request.META["HTTP_HOST"] = host
    try:
        request.get_host()
    except DisallowedHost:
        return False
    return True


def _always() -> tuple[tuple[str, str], ...]:
    """The headers that Django's security middleware puts on every answer."""
    bare = HttpResponse()
    del bare.headers["Content-Type"]
    secured = SecurityMiddleware(lambda _: bare).process_response(HttpRequest(), bare)
    return tuple(secured.items())


def _tell(request: HttpRequest, response: HttpResponse, started: float) -> None:
    """Count it, log it; what failed on our side goes into the server's log, as Django does."""
    record(request, response.status_code, started)
    count_request(request, response.status_code, started)
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log_response(
            "%s: %s", response.reason_phrase, request.path, response=response, request=request
        )


_STATUS_LINES: Final = {int(each): f"{each.value} {each.phrase}" for each in HTTPStatus}

"""Errors as RFC 9457 `application/problem+json`: one renderer for DRF and plain views alike."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import psycopg_pool
import pymongo.errors
import redis.exceptions
from django.core.exceptions import (
    DisallowedHost,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.views.csrf import csrf_failure
from rest_framework import exceptions as drf

from config.errors import (
    PROBLEMS,
    Forbidden,
    Invalid,
    NotAuthenticated,
    NotFound,
    SeatlockError,
    StoreUnavailable,
    Throttled,
    TokenExpired,
)

logger = logging.getLogger(__name__)

PROBLEM_JSON: Final = "application/problem+json"
RETRY_AFTER_SECONDS = 2
_STORES_DOWN: tuple[type[Exception], ...] = (
    OperationalError,
    InterfaceError,
    psycopg_pool.PoolTimeout,
    redis.exceptions.ConnectionError,
    redis.exceptions.TimeoutError,
    redis.exceptions.OutOfMemoryError,  # it evicts nothing, so it may be full
    redis.exceptions.ReadOnlyError,  # a replica that was a primary a moment ago
    pymongo.errors.ConnectionFailure,
    pymongo.errors.ExecutionTimeout,
)


class _Coded(SeatlockError):
    """A code that needs no class of its own."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(detail)
        self.code = code  # type: ignore[misc]  # this one class carries it per instance


def document_of(error: SeatlockError) -> dict[str, Any]:
    """The problem document of an error, in plain JSON values."""
    problem = PROBLEMS[error.code]
    document = {
        "type": f"/problems/{error.code}",
        "title": problem.title,
        "status": int(problem.status),
        "detail": error.detail or problem.title,
        "code": error.code,
        **error.data,
    }
    plain: dict[str, Any] = msgspec.to_builtins(document)
    return plain


def render(error: SeatlockError) -> HttpResponse:
    """The HTTP answer of an error: problem document, status, and the headers that belong to it."""
    response = HttpResponse(
        msgspec.json.encode(document_of(error)),
        status=error.problem.status,
        content_type=PROBLEM_JSON,
    )
    if error.code == "unavailable":
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    elif error.code == "throttled":
        response["Retry-After"] = str(error.data["retry_after_seconds"])
    elif error.code.startswith("idempotency-"):
        response["Link"] = '</api/docs/>; rel="describedby"; type="text/html"'
    elif isinstance(error, NotAuthenticated):
        response["WWW-Authenticate"] = "Bearer"
    return response


def explain(error: Exception) -> SeatlockError:
    """Whatever a view raised, as an error of ours; what nobody foresaw is `internal`, logged."""
    if isinstance(error, SeatlockError):
        return error
    if isinstance(error, _STORES_DOWN):
        logger.warning("a store is down: %s", error)
        return StoreUnavailable("A store cannot be reached; nothing was lost.")
    if isinstance(error, drf.APIException):
        return _explain_drf(error)
    if isinstance(error, Http404):
        return NotFound()
    if isinstance(error, PermissionDenied):
        return Forbidden()
    if isinstance(error, RequestDataTooBig):
        return _Coded("too-large")
    if isinstance(error, DisallowedHost):  # Django's own words are for the operator
        return Invalid({"Host": ["This is not an address of this server."]})
    if isinstance(error, SuspiciousOperation):
        return Invalid({"request": [str(error) or "Bad request"]})
    if isinstance(error, DataError):
        logger.warning("a value passed validation that PostgreSQL cannot hold: %s", error)
        return Invalid({"request": ["A value is out of range."]})
    logger.error("unforeseen error", exc_info=error)
    return SeatlockError()


def _explain_drf(error: drf.APIException) -> SeatlockError:
    match error:
        case drf.ValidationError():
            return Invalid(_by_field(error.detail))
        case drf.ParseError():
            return Invalid({"body": [str(error.detail)]})
        case drf.AuthenticationFailed() | drf.NotAuthenticated():
            expired = "expired" in str(error.get_codes())
            return (TokenExpired if expired else NotAuthenticated)(str(error.detail))
        case drf.PermissionDenied():
            return Forbidden(str(error.detail))
        case drf.NotFound():
            return NotFound(str(error.detail))
        case drf.MethodNotAllowed():
            return _Coded("method-not-allowed", str(error.detail))
        case drf.UnsupportedMediaType():
            return _Coded("unsupported-media-type", str(error.detail))
        case drf.Throttled():
            return Throttled(int(getattr(error, "wait", None) or 1))
    return _Coded("invalid" if error.status_code < 500 else "internal", str(error.detail))


def _by_field(detail: Any, prefix: str = "") -> dict[str, list[str]]:
    """DRF's nested error detail as flat field paths: `stops.1.station`."""
    if isinstance(detail, Mapping):
        found: dict[str, list[str]] = {}
        for name, inner in detail.items():
            path = prefix if name == "non_field_errors" else f"{prefix}.{name}".strip(".")
            found.update(_by_field(inner, str(path)))
        return found
    if isinstance(detail, Sequence) and not isinstance(detail, str):
        if all(isinstance(item, str) for item in detail):
            return {prefix or "body": [str(item) for item in detail]}
        found = {}
        for index, inner in enumerate(detail):
            if inner:
                found.update(_by_field(inner, f"{prefix}.{index}".strip(".")))
        return found
    return {prefix or "body": [str(detail)]}


def drf_exception_handler(error: Exception, context: dict[str, Any]) -> HttpResponse:
    """DRF's `EXCEPTION_HANDLER`."""
    del context
    return render(explain(error))


class ProblemMiddleware:
    """Turns what a plain view raises into a problem document (DRF views have the handler)."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response: HttpResponse = self.get_response(request)
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Admin pages keep Django's own error pages; everything else speaks problem+json."""
        if request.path.startswith("/admin/"):
            return None
        return render(explain(error))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    del request
    return render(explain(exception))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    del request, exception
    return render(Forbidden())


def csrf_refused(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """Django's page for people belongs to the admin; what is left has no forms."""
    if request.path_info.startswith("/admin/"):
        return csrf_failure(request, reason=reason)
    return render(Forbidden("Forms are not taken here"))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    del exception
    return render(NotFound(f"There is nothing at {request.path}"))


def server_error(request: HttpRequest) -> HttpResponse:
    del request
    return render(SeatlockError())

"""The base of every error a client may see, and the one table from code to HTTP.

    SeatlockError
    ├── Invalid               invalid, 400: the request's own fault, by field
    ├── NotFound              not-found, 404: absent, or another user's
    ├── Forbidden             forbidden, 403
    ├── NotAuthenticated      not-authenticated, 401
    │   └── TokenExpired      token-expired, 401
    ├── Throttled             throttled, 429
    ├── StoreUnavailable      unavailable, 503: a store is down; nothing was lost
    ├── IdempotencyInFlight   idempotency-in-flight, 409
    ├── IdempotencyKeyReused  idempotency-key-reused, 422
    └── (reservations.errors) what the engine refuses

Apps above add subclasses, whose names are whole conditions (`SeatAlreadyHeld`). A broken
invariant is an assertion, not one of these.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar


@dataclass(frozen=True)
class Problem:
    """A row of the table: the HTTP status of a code, and its title for people."""

    status: int
    title: str


PROBLEMS: dict[str, Problem] = {
    "invalid": Problem(HTTPStatus.BAD_REQUEST, "The request is not valid"),
    "not-authenticated": Problem(HTTPStatus.UNAUTHORIZED, "Sign in first"),
    "token-expired": Problem(HTTPStatus.UNAUTHORIZED, "The token has expired"),
    "payment-required": Problem(HTTPStatus.PAYMENT_REQUIRED, "Payment is required"),
    "forbidden": Problem(HTTPStatus.FORBIDDEN, "Not allowed"),
    "not-found": Problem(HTTPStatus.NOT_FOUND, "Not found"),
    "method-not-allowed": Problem(HTTPStatus.METHOD_NOT_ALLOWED, "Method not allowed"),
    "not-on-sale": Problem(HTTPStatus.CONFLICT, "Not on sale"),
    "seat-unavailable": Problem(HTTPStatus.CONFLICT, "Seats are taken"),
    "not-enough-seats": Problem(HTTPStatus.CONFLICT, "Not enough seats are free"),
    "seat-already-booked": Problem(HTTPStatus.CONFLICT, "Seats were booked by somebody else"),
    "illegal-state": Problem(HTTPStatus.CONFLICT, "Not possible in this state"),
    "idempotency-in-flight": Problem(
        HTTPStatus.CONFLICT, "The first request with this key is still running"
    ),
    "hold-expired": Problem(HTTPStatus.GONE, "The hold is over"),
    "too-large": Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large"),
    "unsupported-media-type": Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send application/json"),
    "idempotency-key-reused": Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY, "This key was used for another request"
    ),
    "limit-reached": Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "A limit is reached"),
    "throttled": Problem(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests"),
    "internal": Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong on our side"),
    "unavailable": Problem(HTTPStatus.SERVICE_UNAVAILABLE, "A store is down, try again"),
}


class SeatlockError(Exception):
    """An answer other than success. `data` is merged into the problem document."""

    code: ClassVar[str] = "internal"

    def __init__(self, detail: str = "", **data: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.data = data

    @property
    def problem(self) -> Problem:
        return PROBLEMS[self.code]


class Invalid(SeatlockError):
    """The request's own fault; `errors` maps each wrong field to its messages."""

    code = "invalid"

    def __init__(self, errors: dict[str, list[str]], detail: str = "") -> None:
        said = detail or "; ".join(f"{name}: {' '.join(msgs)}" for name, msgs in errors.items())
        super().__init__(said, errors=errors)


class NotFound(SeatlockError):
    """Absent, or another user's: the two must look alike."""

    code = "not-found"


class Forbidden(SeatlockError):
    code = "forbidden"


class NotAuthenticated(SeatlockError):
    code = "not-authenticated"


class TokenExpired(NotAuthenticated):
    code = "token-expired"


class Throttled(SeatlockError):
    """Too many requests; may be sent again after `retry_after_seconds`."""

    code = "throttled"

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(
            f"Try again in {retry_after_seconds} s", retry_after_seconds=retry_after_seconds
        )


class StoreUnavailable(SeatlockError):
    """PostgreSQL, Redis or MongoDB cannot be reached; nothing was lost."""

    code = "unavailable"


class IdempotencyInFlight(SeatlockError):
    code = "idempotency-in-flight"


class IdempotencyKeyReused(SeatlockError):
    code = "idempotency-key-reused"

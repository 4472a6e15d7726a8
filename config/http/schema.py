"""What every operation's description shares: the errors it may answer, each with an example.

Used as `@extend_schema(responses={201: Account, **problem_responses("invalid", "throttled")})`.
"""

from collections import defaultdict
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Final

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from config.errors import PROBLEMS
from config.http.problems import PROBLEM_JSON
from config.idempotency.headers import HEADER, LONGEST, SYNTAX


class ProblemDocument(serializers.Serializer[Any]):
    """RFC 9457; some codes add members of their own, which the examples show."""

    type = serializers.CharField(help_text="`/problems/<code>`")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField(help_text="What a client decides by; never renamed.")
    errors = serializers.DictField(  # type: ignore[assignment]  # a field by the name of a property
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="With `invalid`: the messages of each wrong field.",
    )


_EXTRA: Final[dict[str, dict[str, Any]]] = {
    "invalid": {"errors": {"source": ["This field is required."]}},
    "payment-required": {"amount": "450.00", "currency": "INR"},
    "not-on-sale": {"opens_at": "2026-11-01T02:30:00Z"},
    "seat-unavailable": {"seats": ["S1-12"], "suggestions": ["S1-14", "S1-15"]},
    "not-enough-seats": {"free": 1, "waitlist": 12},
    "seat-already-booked": {"seats": ["S1-12"]},
    "illegal-state": {"state": "cancelled"},
    "limit-reached": {"limit": 3},
    "throttled": {"retry_after_seconds": 7},
}

_KEY: Final[dict[str, Any]] = {
    "type": "string",
    "minLength": 1,
    "maxLength": LONGEST,
    "pattern": SYNTAX,
}
IDEMPOTENCY_KEY: Final = OpenApiParameter(
    HEADER,
    _KEY,
    OpenApiParameter.HEADER,
    description=(
        "Optional: a string of a structured field (RFC 8941), in quotes or without; 1 to 255 "
        "printable ASCII characters, best a UUID. The same key and request within 24 hours give "
        "the first answer again, with `Idempotency-Replayed: true`. A key belongs to one user and "
        "one request: with another body, or at another address, it is refused."
    ),
    examples=[OpenApiExample("A UUID", '"8e03978e-40d5-43dd-bc93-6894a57f9324"')],
)


def problem_responses(
    *codes: str,
) -> dict[tuple[int, str], OpenApiResponse]:
    """The responses of these codes for `extend_schema`, by status; codes of one status share it.

    A code that is not in `config.errors.PROBLEMS` is a KeyError when the views are imported.
    """
    by_status: dict[int, list[str]] = defaultdict(list)
    for code in dict.fromkeys(codes):
        by_status[int(PROBLEMS[code].status)].append(code)
    return {
        (status, PROBLEM_JSON): OpenApiResponse(
            ProblemDocument,
            description=HTTPStatus(status).phrase,
            examples=[_example(code) for code in codes_of_status],
        )
        for status, codes_of_status in sorted(by_status.items())
    }


def problem_examples(codes: Iterable[str]) -> dict[str, dict[str, Any]]:
    """An example document of each code, as a client would see it."""
    return {code: _document(code) for code in dict.fromkeys(codes)}


def _example(code: str) -> OpenApiExample:
    return OpenApiExample(code, _document(code), media_type=PROBLEM_JSON, response_only=True)


def _document(code: str) -> dict[str, Any]:
    problem = PROBLEMS[code]
    return {
        "type": f"/problems/{code}",
        "title": problem.title,
        "status": int(problem.status),
        "detail": problem.title,
        "code": code,
        **_EXTRA.get(code, {}),
    }


class _AmountSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """drf-spectacular's own pattern would let the empty string pass, and knows no numbers."""

    target_class = "config.http.fields.Amount"

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        del auto_schema, direction
        field = self.target
        whole = field.max_digits - field.decimal_places
        sign = "" if field.min_value is not None and field.min_value >= 0 else "-?"
        return {
            "anyOf": [
                {
                    "type": "string",
                    "format": "decimal",
                    "pattern": rf"^{sign}\d{{1,{whole}}}(\.\d{{1,{field.decimal_places}}})?$",
                },
                {"type": "number", "minimum": field.min_value, "maximum": field.max_value},
            ]
        }

"""Fields of JSON bodies that take what the description says and nothing near it.

DRF's own would read the number 7 as the text "7", and the text "7" as a number: a phone number sent
without quotes has lost its leading zeros and its plus by then. The plain views' bodies are as
strict (`config.http.body`). All but `MomentOrDate`
are for bodies only: a query string has nothing but text.
"""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers


class Text(serializers.CharField):
    """A JSON string."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class TextLike(serializers.RegexField):
    """A JSON string of the form that a regular expression says."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class Email(serializers.EmailField):
    """A JSON string that can be an e-mail address."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class Whole(serializers.IntegerField):
    """A JSON number without a fraction."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return int(super().to_internal_value(data))


@extend_schema_field(
    {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]}
)
class MomentOrDate(serializers.DateTimeField):
    """A moment, or the midnight with which a day begins."""


class Amount(serializers.DecimalField):
    """A decimal number, as a JSON string ("1.250") or, where it is exact enough, as a number."""

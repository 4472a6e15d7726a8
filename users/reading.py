"""What the views of accounts, and of people without one, have in common."""

from typing import Any, Final, TypeVar

from rest_framework import serializers
from rest_framework.request import Request

S = TypeVar("S", bound=serializers.BaseSerializer[Any])

BODY: Final = (
    "invalid",
    "too-large",
    "unsupported-media-type",
    "throttled",
    "unavailable",
    "internal",
)
"""What a call that takes a body may refuse it for."""
SIGNED_IN: Final = ("not-authenticated", "token-expired", *BODY)


def read(shape: type[S], request: Request, **kwargs: Any) -> dict[str, Any]:
    """The body in this shape. Raises DRF's `ValidationError`."""
    serializer = shape(data=request.data, **kwargs)
    serializer.is_valid(raise_exception=True)
    values: dict[str, Any] = serializer.validated_data
    return values

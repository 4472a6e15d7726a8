"""What all calls of this app have in common: staff only, and queries judged by a serializer."""

from datetime import UTC
from typing import Any, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.views import APIView

from config.http.pagination import DEFAULT_LIMIT, MAX_LIMIT
from config.http.schema import problem_responses

PROBLEMS: Final = problem_responses(
    "invalid", "not-authenticated", "token-expired", "forbidden", "throttled", "unavailable"
)
PAGE: Final = [
    OpenApiParameter(
        "limit", OpenApiTypes.INT, description=f"Rows, {DEFAULT_LIMIT}, at most {MAX_LIMIT}"
    ),
    OpenApiParameter("offset", OpenApiTypes.INT, description="Rows to leave out, 0"),
]


class Moment(serializers.DateTimeField):
    """A moment in an answer: UTC, as everywhere in the contract."""

    def __init__(self, **options: Any) -> None:
        super().__init__(default_timezone=UTC, **options)


class StaffView(APIView):
    permission_classes = (IsAdminUser,)
    throttle_scope = "staff"


def read_query(shape: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The query parameters as that serializer understands them. Raises DRF's ValidationError."""
    query = shape(data=request.query_params)
    query.is_valid(raise_exception=True)
    values: dict[str, Any] = query.validated_data
    return values


def page_of(row: serializers.Serializer[Any], name: str) -> serializers.Serializer[Any]:
    """The shape of a page of such rows, for the API's description."""
    fields = {
        "count": serializers.IntegerField(),
        "next": serializers.URLField(allow_null=True),
        "previous": serializers.URLField(allow_null=True),
        "results": serializers.ListField(child=row),
    }
    shape: serializers.Serializer[Any] = type(name, (serializers.Serializer,), fields)()
    return shape

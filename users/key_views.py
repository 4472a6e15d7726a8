"""`operations/keys/`: API keys, by staff. Parse, call one service, render."""

from datetime import UTC
from typing import Any, Final

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.errors import NotFound
from config.http.fields import Text, Whole
from config.http.schema import problem_responses
from users.models import ApiKey
from users.scopes import SCOPES
from users.services.manage_keys import make_key, revoke_key

_TAGS: Final = ["operations"]
_STAFF: Final = ("not-authenticated", "token-expired", "forbidden", "throttled", "unavailable")
_SAID: Final = {"name": "Booking engine", "account": "acme-travel", "scopes": ["read", "reserve"]}
_MADE: Final = {
    "prefix": "slk_k3vq7mzt2a",
    "name": "Booking engine",
    "account": "acme-travel",
    "scopes": ["read", "reserve"],
    "calls_per_minute": 600,
    "created_by": "admin",
    "created_at": "2026-11-21T08:00:00Z",
    "expires_at": "2027-11-21T08:00:00Z",
    "last_used_at": None,
    "revoked_at": None,
}


class NewApiKey(serializers.Serializer[Any]):
    """`account`: the username of the agent whose holds and bookings the key's are."""

    account = Text(max_length=150)
    name = Text(max_length=100)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(
            choices=list(SCOPES), help_text="; ".join(f"{k}: {v}" for k, v in SCOPES.items())
        ),
        min_length=1,
        max_length=len(SCOPES),
    )
    calls_per_minute = Whole(min_value=1, max_value=100_000, default=600)
    expires_in_days = Whole(min_value=1, max_value=730, default=365)


class ShownApiKey(serializers.Serializer[Any]):
    """A key as staff see it; the key itself is kept nowhere."""

    prefix = serializers.CharField()
    name = serializers.CharField()
    account = serializers.CharField(source="login.user.username")
    scopes = serializers.ListField(child=serializers.CharField())
    calls_per_minute = serializers.IntegerField()
    created_by = serializers.CharField(source="created_by.username")
    created_at = serializers.DateTimeField(source="login.created_at", default_timezone=UTC)
    expires_at = serializers.DateTimeField(source="login.expires_at", default_timezone=UTC)
    last_used_at = serializers.DateTimeField(default_timezone=UTC, allow_null=True)
    revoked_at = serializers.DateTimeField(
        source="login.ended_at", default_timezone=UTC, allow_null=True
    )


class MadeApiKey(ShownApiKey):
    """`key` is told this once."""

    key = serializers.CharField()


def _keys() -> QuerySet[ApiKey]:
    return ApiKey.objects.select_related("login__user", "created_by")


class KeysView(ListAPIView[ApiKey]):
    permission_classes = (IsAdminUser,)
    throttle_scope = "staff"
    serializer_class = ShownApiKey

    def get_queryset(self) -> QuerySet[ApiKey]:
        return _keys().order_by("-login__created_at", "pk")

    @extend_schema(
        operation_id="list_api_keys",
        tags=_TAGS,
        summary="API keys of machines, latest first",
        responses={200: ShownApiKey(many=True), **problem_responses("invalid", *_STAFF)},
    )
    def get(self, request: Request, *args: object, **kwargs: object) -> Response:
        return self.list(request, *args, **kwargs)

    @extend_schema(
        operation_id="make_api_key",
        tags=_TAGS,
        summary="Make an API key",
        request=NewApiKey,
        responses={201: MadeApiKey, **problem_responses("invalid", *_STAFF)},
        examples=[
            OpenApiExample("A key for a partner", _SAID, request_only=True),
            OpenApiExample(
                "The key, this once",
                {**_MADE, "key": "slk_k3vq7mzt2a_…"},
                response_only=True,
                status_codes=[201],
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        """Sent as `Authorization: Bearer <key>`. Takes no `Idempotency-Key`: an answer that is
        kept for a repeat would keep the key as well.
        """
        asked = NewApiKey(data=request.data)
        asked.is_valid(raise_exception=True)
        made = make_key(actor=request.user.pk or 0, **asked.validated_data)
        shown = ShownApiKey(_keys().get(pk=made.key.pk)).data
        return Response({**shown, "key": made.text}, status=201)


class KeyView(APIView):
    permission_classes = (IsAdminUser,)
    throttle_scope = "staff"

    @extend_schema(
        operation_id="show_api_key",
        tags=_TAGS,
        summary="One API key",
        responses={200: ShownApiKey, **problem_responses("not-found", *_STAFF)},
    )
    def get(self, request: Request, prefix: str) -> Response:
        del request
        key = _keys().filter(prefix=prefix).first()
        if key is None:
            raise NotFound("There is no such key")
        return Response(ShownApiKey(key).data)

    @extend_schema(
        operation_id="revoke_api_key",
        tags=_TAGS,
        summary="Revoke an API key, at once and everywhere; again is harmless",
        responses={
            204: OpenApiResponse(description="Revoked, for good."),
            **problem_responses("not-found", *_STAFF),
        },
    )
    def delete(self, request: Request, prefix: str) -> HttpResponse:
        del request
        revoke_key(prefix=prefix)
        return HttpResponse(status=204)
